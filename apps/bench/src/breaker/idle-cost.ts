/** What `count` things that do nothing hold on to. */
export interface IdleCost {
  readonly count: number;
  /** Of heap, each. */
  readonly bytes: number;
  /** All timers started while they were made. */
  readonly timers: number;
}

const starters = ['setTimeout', 'setInterval', 'setImmediate'] as const;

/** Makes them, counts the timers they start and weighs the heap they keep. Needs `--expose-gc`. */
export async function idleCost<Thing>(
  count: number,
  make: (index: number) => Thing | Promise<Thing>,
  dispose: (thing: Awaited<Thing>) => void = () => {},
): Promise<IdleCost> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('run node with --expose-gc');
  await make(-1);
  const things: Awaited<Thing>[] = Array.from({ length: count });
  const originals = starters.map((name) => globalThis[name]);
  let timers = 0;
  for (const name of starters) {
    const start = globalThis[name] as (...args: unknown[]) => unknown;
    (globalThis as Record<string, unknown>)[name] = (...args: unknown[]) => {
      timers++;
      return start(...args);
    };
  }
  gc();
  const before = process.memoryUsage().heapUsed;
  try {
    for (let i = 0; i < count; i++) things[i] = await make(i);
  } finally {
    starters.forEach((name, i) => Object.assign(globalThis, { [name]: originals[i] }));
  }
  gc();
  const bytes = (process.memoryUsage().heapUsed - before) / count;
  for (const thing of things) dispose(thing);
  return { count, bytes, timers };
}
