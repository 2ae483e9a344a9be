import { adaptive } from '@whirl/selector';
import { expect, it } from 'vitest';
import { rig } from '../../test/support/pool-rig.ts';

it('a request reads its clock six times: nothing that hears of its end reads another', async () => {
  let readings = 0;
  const now = () => {
    readings++;
    return Date.now();
  };
  const { rotator, target, told } = await rig([{ kind: 'ok' }], { now, strategy: adaptive() });
  await (await rotator.get(target.url)).body.dump();
  readings = 0;
  await (await rotator.get(target.url)).body.dump();
  // Its start, its pick, its attempt's start, the head, the end, and the retry budget.
  expect(readings).toBe(6);
  expect(told('request:end')).toHaveLength(2);
});
