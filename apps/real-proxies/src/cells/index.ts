import type { Cell } from './cell.ts';
import { outages } from './outages.ts';
import { refusals } from './refusals.ts';
import { requests } from './requests.ts';
import { streams } from './streams.ts';

export const cells: readonly Cell[] = [...requests, ...streams, ...refusals, ...outages];
