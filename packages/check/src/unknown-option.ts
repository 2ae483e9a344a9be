/** More names than these are for the documentation. */
const maxListed = 8;

/**
 * Why a name is refused that is no option: its path and, where a known name looks like it, that name, else all
 * that are known, where these are few.
 * `within` is the path of the object that holds it, `''` at the top. `inside` are paths of options in objects
 * beside it, whose last names are looked at next.
 */
export function unknownOption(
  within: string,
  name: string,
  known: Iterable<string>,
  inside: readonly string[] = [],
): string {
  const path = within === '' ? name : `${within}.${name}`;
  const last = new Map(inside.map((each) => [each.slice(each.lastIndexOf('.') + 1), each]));
  const names = [...known];
  const nearest = nearestName(name, names) ?? last.get(nearestName(name, last.keys()) ?? '');
  const unknown = `unknown option ${JSON.stringify(path)}`;
  if (nearest !== undefined) return `${unknown}: did you mean "${nearest}"?`;
  return names.length <= maxListed ? `${unknown}; known are ${names.join(', ')}` : unknown;
}

/** A longer name is no slip of the pen, and would make the comparison slow. */
const maxLength = 64;

/** The known name that is at most two typing errors away, upper and lower case being the same. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  if (name.length > maxLength) return undefined;
  const lower = name.toLowerCase();
  // A short name is near to everything: one letter in three may differ, and two at most.
  let least = Math.min(2, Math.floor(name.length / 3)) + 1;
  let nearest: string | undefined;
  for (const each of known) {
    const distance = edits(lower, each.toLowerCase());
    if (distance < least) {
      least = distance;
      nearest = each;
    }
  }
  return nearest ?? startingAlike(lower, known);
}

/** `timeout` for `timeoutMs`: a name that was cut short, or goes on. */
function startingAlike(lower: string, known: Iterable<string>): string | undefined {
  if (lower.length < 4) return undefined;
  const alike = [...known].filter((each) => {
    const other = each.toLowerCase();
    return other.startsWith(lower) || (other.length >= 4 && lower.startsWith(other));
  });
  return alike.length === 1 ? alike[0] : undefined;
}

/** Insertions, deletions, substitutions and swaps of neighbours between two strings (optimal string alignment). */
function edits(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(
        (above[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (above[j - 1] as number) + same,
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (before[j - 2] as number) + 1);
      }
      row.push(least);
    }
    before = above;
    above = row;
  }
  return above[b.length] as number;
}
