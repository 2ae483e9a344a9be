/** What is not seen at the edges of a line: blanks, U+200B to U+200D, U+2060 and U+FEFF. */
const unseen = /[\s\u200b-\u200d\u2060\ufeff]/;

function isUnseen(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code <= 0x20
    ? code === 0x20 || (code >= 9 && code <= 13)
    : code > 0x7f && unseen.test(text[at] as string);
}

/** Without blanks and invisible characters at both ends. One pass: a pattern with `+$` takes quadratic time. */
export function trimEdges(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isUnseen(text, from)) from++;
  while (to > from && isUnseen(text, to - 1)) to--;
  return text.slice(from, to);
}

/** Without a comment, which a `#` begins at the start of the line or after a blank. */
function withoutComment(line: string): string {
  for (let at = line.indexOf('#'); at !== -1; at = line.indexOf('#', at + 1)) {
    if (at === 0 || isUnseen(line, at - 1)) return line.slice(0, at);
  }
  return line;
}

/** Whether a trimmed line is a comment as a whole. */
export function isComment(line: string): boolean {
  return line.startsWith('#') || line.startsWith(';') || line.startsWith('//');
}

/** What a line holds besides comments and unseen characters. Empty: nothing. */
export function contentOf(line: string): string {
  const text = trimEdges(line.includes('#') ? withoutComment(line) : line);
  return isComment(text) ? '' : text;
}

/** Without one trailing comma or semicolon and a pair of quotes, as lists have them that were code. */
export function unwrap(text: string): string {
  const last = text.at(-1);
  const bare = last === ',' || last === ';' ? trimEdges(text.slice(0, -1)) : text;
  const quote = bare[0];
  if ((quote !== '"' && quote !== "'") || bare.length < 2 || bare.at(-1) !== quote) return bare;
  return trimEdges(bare.slice(1, -1));
}
