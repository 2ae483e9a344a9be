/** Characters at the end that always show: a port, and what tells hosts apart. */
const tailLength = 13;

/** An id on one line: where there is no room its middle is left out; hover and focus show all of it. */
export function ProxyName({ id }: { readonly id: string }) {
  const cut = Math.max(0, id.length - tailLength);
  return (
    <span class="name" title={id}>
      <span class="head">{id.slice(0, cut)}</span>
      <span class="tail">{id.slice(cut)}</span>
    </span>
  );
}
