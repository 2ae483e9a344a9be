// What the examples share: real flaky servers on loopback, and lines that a person likes to read.
import { styleText } from 'node:util';
import {
  startProxy,
  startTarget,
  type Behaviour,
  type FlakyProxy,
  type Target,
} from '@whirl/testkit';
import type { RotatorResponse } from '@whirl/rotator';
import type { Strategy } from '@whirl/selector';

const colour: typeof styleText = (style, text) =>
  process.stdout.isTTY && !process.env['NO_COLOR'] ? styleText(style, text) : text;

export const good = (text: string) => colour('green', text);
export const bad = (text: string) => colour('red', text);
export const dim = (text: string) => colour('dim', text);

/** `roundRobin()` begins with any proxy; this one begins with the first of the list, so that a story is always the same. */
export function inTurn(): Strategy {
  return {
    name: 'inTurn',
    pick(among) {
      let next = -1;
      for (let i = 0; i < among.size; i++) {
        const slot = among.at(i);
        const earlier = among.lastPick(slot) - among.lastPick(next < 0 ? slot : next);
        if (next < 0 || earlier < 0 || (earlier === 0 && slot < next)) next = slot;
      }
      return next;
    },
  };
}

/** A line of the story. */
export function say(text = ''): void {
  console.log(text);
}

/** Starts a target and one proxy for each behaviour, and closes them when the story is told. */
export async function onStage(
  behaviours: readonly Behaviour[],
  story: (stage: { target: Target; proxies: FlakyProxy[]; urls: string[] }) => Promise<void>,
): Promise<void> {
  const target = await startTarget();
  const proxies = await Promise.all(behaviours.map((behaviour) => startProxy({ behaviour })));
  try {
    await story({ target, proxies, urls: proxies.map(({ url }) => url) });
  } finally {
    await Promise.all([...proxies, target].map((server) => server.close()));
  }
}

/** Reads the body away and shows the way that the request took. */
export async function showWay(response: RotatorResponse): Promise<void> {
  await response.body.dump();
  for (const {
    attempt,
    proxyId,
    outcome,
    statusCode,
    errorCode,
    delayBeforeMs,
    latencyMs,
  } of response.attempts) {
    const result =
      outcome === 'success' ? good(outcome) : bad(`${outcome} ${errorCode ?? statusCode ?? ''}`);
    const waited = delayBeforeMs === 0 ? 'at once' : `after ${Math.round(delayBeforeMs)} ms`;
    say(
      `  attempt ${attempt}, ${waited}, through ${proxyId}: ${result} ${dim(`${latencyMs.toFixed(0)} ms`)}`,
    );
  }
  say(`  answer: status ${response.statusCode}`);
}
