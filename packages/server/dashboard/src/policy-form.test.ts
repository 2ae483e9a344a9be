import { describe, expect, it } from 'vitest';
import { groupsOf, placeErrors, toPatch, toTexts } from './policy-form.ts';

const policy = {
  max_attempts: 3,
  base_delay: 1.5,
  jitter: false,
  retry_status_codes: [502, 503],
  timeout: null,
  name: null,
  updated_at: '2026-01-01T00:00:00.000Z',
  something_new: 1,
};

describe('A1 the policy form', () => {
  it('shows the fields that the server has, and no others', () => {
    const names = groupsOf(policy).flatMap(({ fields }) => fields.map(({ name }) => name));
    expect(names).toEqual([
      'max_attempts',
      'retry_status_codes',
      'base_delay',
      'jitter',
      'timeout',
      'name',
    ]);
  });

  it('sends only what was changed', () => {
    const texts = toTexts(policy);
    expect(texts).toMatchObject({ base_delay: '1.5', retry_status_codes: '502, 503', timeout: '' });
    expect(toPatch(policy, texts)).toEqual({});
    expect(
      toPatch(policy, {
        ...texts,
        max_attempts: ' 5 ',
        jitter: 'true',
        retry_status_codes: '429 503;502',
        timeout: '2.5',
      }),
    ).toEqual({ max_attempts: 5, jitter: true, retry_status_codes: [429, 503, 502], timeout: 2.5 });
  });

  it('an emptied box clears what may be empty; anything else goes to the server as it is', () => {
    const set = { ...policy, timeout: 5 };
    expect(toPatch(set, { ...toTexts(set), timeout: '' })).toEqual({ timeout: null });
    expect(toPatch(policy, { ...toTexts(policy), max_attempts: '' })).toEqual({ max_attempts: '' });
    expect(toPatch(policy, { ...toTexts(policy), base_delay: 'soon' })).toEqual({
      base_delay: 'soon',
    });
    expect(toPatch(policy, { ...toTexts(policy), retry_status_codes: '5o3' })).toEqual({
      retry_status_codes: ['5o3'],
    });
  });

  it("the server's messages go to their fields, those of items too, the rest is listed", () => {
    expect(
      placeErrors(
        {
          max_attempts: 'at most 10',
          'retry_status_codes.0': 'at least 400',
          'retry_status_codes[2]': 'at most 599',
          nope: 'unknown field',
          body: { odd: true },
        },
        ['max_attempts', 'retry_status_codes'],
      ),
    ).toEqual({
      byField: {
        max_attempts: 'at most 10',
        retry_status_codes: 'at least 400; at most 599',
      },
      others: ['nope: unknown field', 'body: {"odd":true}'],
    });
  });
});
