import { extractSnippets, runSnippets } from '@whirl/testkit/readme-snippets';
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it, vi } from 'vitest';

const page = new URL('../../../docs/composing.md', import.meta.url);

type Call<Result> = () => Result | PromiseLike<Result>;
interface Recipes {
  withFallback<Result, Other>(
    fn: Call<Result>,
    fallback: (error: unknown) => Other,
    options?: { signal?: AbortSignal },
  ): Promise<Result | Other>;
  bulkhead(
    limit: number,
    options?: { queue?: number; signal?: AbortSignal },
  ): <Result>(fn: Call<Result>, options?: { signal?: AbortSignal }) => Promise<Result>;
}

/** The functions of the page, as they stand there. */
async function recipes(): Promise<Recipes> {
  const blocks = extractSnippets(readFileSync(page, 'utf8')).filter(({ code }) =>
    code.startsWith('export '),
  );
  const source = blocks.map(({ code }) => code).join('\n');
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  return (await import(
    /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(outputText)}`
  )) as Recipes;
}

/** A call that ends when it is told to. */
function pending() {
  let end = () => {};
  let fail = (_error: Error) => {};
  const promise = new Promise<string>((resolve, reject) => {
    end = () => resolve('ended');
    fail = reject;
  });
  return { call: vi.fn(() => promise), end, fail };
}

const turns = async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

describe('docs/composing.md', () => {
  it('every snippet compiles, runs and prints what it shows', async () => {
    const runs = await runSnippets(page);
    for (const { code, output, line } of runs) {
      const says = Array.from(
        code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm),
        ([, text]) => text,
      );
      const told = says.map((text) => text?.replace(/^(true): .*/, '$1'));
      expect(output, `line ${line}`).toBe(told.join('\n'));
    }
    expect(runs.length).toBeGreaterThan(8);
  });

  it('withFallback passes a result on, falls back on an error, and not for a caller that gave up', async () => {
    const { withFallback } = await recipes();
    const down = new Error('down');
    const fails = () => Promise.reject(down);
    const fallback = vi.fn(() => 'cached');
    expect(await withFallback(() => 'fresh', fallback)).toBe('fresh');
    expect(fallback).not.toHaveBeenCalled();
    expect(await withFallback(fails, fallback)).toBe('cached');
    expect(fallback).toHaveBeenCalledWith(down);
    const thrown = withFallback(
      () => {
        throw down;
      },
      (error) => error,
    );
    expect(await thrown).toBe(down);
    const signal = AbortSignal.abort();
    await expect(withFallback(fails, fallback, { signal })).rejects.toBe(down);
  });

  it('bulkhead runs at most its limit, queues in order, and refuses the rest', async () => {
    const { bulkhead } = await recipes();
    const run = bulkhead(2, { queue: 2 });
    const calls = Array.from({ length: 5 }, pending);
    const ended = calls.map(({ call }) => run(call).catch(({ code }: { code: string }) => code));
    await turns();
    const called = () => calls.map(({ call }) => call.mock.calls.length).join('');
    expect([called(), await ended[4]]).toEqual(['11000', 'BULKHEAD_FULL']);
    calls[1]!.end();
    await turns();
    expect(called()).toBe('11100');
    calls[0]!.fail(new Error('down'));
    await turns();
    expect(called()).toBe('11110');
    calls[2]!.end();
    calls[3]!.end();
    expect(await ended[3]).toBe('ended');
    // All slots are free again: none was lost, none was made.
    const more = Array.from({ length: 3 }, pending);
    for (const { call } of more) void run(call);
    await turns();
    expect(more.map(({ call }) => call.mock.calls.length)).toEqual([1, 1, 0]);
    for (const { end } of more) end();
  });

  it('bulkhead: a call that waits leaves when its signal is aborted, and takes no slot', async () => {
    const { bulkhead } = await recipes();
    const controller = new AbortController();
    const removed = vi.spyOn(controller.signal, 'removeEventListener');
    const run = bulkhead(1, { queue: 3 });
    const [first, second, third] = [pending(), pending(), pending()];
    void run(first.call);
    const left = run(second.call, controller).catch((error: unknown) => error);
    const stays = run(third.call);
    controller.abort('stop');
    expect(await left).toBe('stop');
    first.end();
    await turns();
    expect([second.call.mock.calls.length, third.call.mock.calls.length]).toEqual([0, 1]);
    third.end();
    expect(await stays).toBe('ended');
    // One that waits and is admitted leaves no listener.
    const fresh = new AbortController();
    const dropped = vi.spyOn(fresh.signal, 'removeEventListener');
    const holder = pending();
    void run(holder.call);
    const waits = run(() => 'in', fresh);
    holder.end();
    expect(await waits).toBe('in');
    expect(dropped).toHaveBeenCalledTimes(1);
    expect(removed).not.toHaveBeenCalled();
  });

  it('bulkhead: the signal of all calls refuses those that come after it', async () => {
    const { bulkhead } = await recipes();
    const controller = new AbortController();
    const run = bulkhead(1, { queue: 1, signal: controller.signal });
    const first = pending();
    const running = run(first.call);
    const waiting = run(() => 1).catch((error: unknown) => error);
    controller.abort('closing');
    expect(await waiting).toBe('closing');
    await expect(run(() => 1)).rejects.toBe('closing');
    first.end();
    expect(await running).toBe('ended');
  });
});
