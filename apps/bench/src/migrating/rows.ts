import { readFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';

/** The numbers of the rows of a page in docs/migrating. */
function numbersOf(page: string): number[] {
  const url = new URL(`../../../../docs/migrating/${page}.md`, import.meta.url);
  const rows = readFileSync(url, 'utf8').matchAll(/^\| +(\d+) +\|/gm);
  return Array.from(rows, ([, number]) => Number(number));
}

/** Declares the test of one row; in the end every row of the page must have had one. */
export function rowsOf(page: string) {
  const tested: number[] = [];
  afterAll(() => {
    expect(tested).toEqual(numbersOf(page));
  });
  return (number: number, title: string, test: () => Promise<void> | void) => {
    tested.push(number);
    it(`${page} row ${number}: ${title}`, test);
  };
}
