import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiError } from '../api-client.ts';
import { closeDialog, leaveDialog } from '../dialogs.ts';
import {
  groupsOf,
  placeErrors,
  toPatch,
  toTexts,
  type FieldErrors,
  type PolicyField,
  type PolicyTexts,
} from '../policy-form.ts';
import { changePolicy, readPolicy } from '../calls.ts';
import { policyChanges } from '../store.ts';
import { say } from '../toasts.ts';
import type { WirePolicy } from '../wire.ts';
import { Dialog } from './dialog.tsx';

const noErrors: FieldErrors = { byField: {}, others: [] };

/** Shows and changes the retry policy; the server alone judges what is valid. */
export function PolicyDialog() {
  const policy = useSignal<WirePolicy | undefined>(undefined);
  const texts = useSignal<PolicyTexts>({});
  const errors = useSignal<FieldErrors>(noErrors);
  const failure = useSignal('');
  const saving = useSignal(false);
  const changesSeen = useSignal(policyChanges.peek());
  const patch = useComputed(() =>
    policy.value === undefined ? {} : toPatch(policy.value, texts.value),
  );

  const show = (next: WirePolicy) => {
    policy.value = next;
    texts.value = toTexts(next);
    errors.value = noErrors;
    failure.value = '';
    changesSeen.value = policyChanges.peek();
  };
  const load = async () => {
    try {
      show(await readPolicy());
    } catch (error) {
      failure.value = (error as Error).message;
    }
  };
  useEffect(() => void load(), []);

  const save = async () => {
    saving.value = true;
    try {
      show(await changePolicy(patch.value));
      closeDialog();
      say('Retry policy saved: it holds from the next request on.');
    } catch (error) {
      const { message, details } =
        error instanceof ApiError ? error : new ApiError(0, String(error));
      const shown = groupsOf(policy.value ?? {}).flatMap(({ fields }) => fields);
      errors.value = placeErrors(
        details,
        shown.map(({ name }) => name),
      );
      failure.value =
        Object.keys(details).length === 0 ? message : 'Nothing was changed yet: see below.';
      const first = shown.find(({ name }) => errors.value.byField[name] !== undefined);
      if (first !== undefined) document.getElementById(`policy-${first.name}`)?.focus();
    } finally {
      saving.value = false;
    }
  };

  const changed = Object.keys(patch.value).length;
  return (
    <Dialog name="policy" title="Retry policy" edited={() => Object.keys(patch.value).length > 0}>
      <p class="muted">For every request that brings no policy of its own.</p>
      {failure.value !== '' && (
        <div class="banner trouble" role="alert">
          <span>{failure.value}</span>
          {policy.value === undefined && (
            <button type="button" onClick={() => void load()}>
              Try again
            </button>
          )}
          {errors.value.others.map((each) => (
            <span key={each}>{each}</span>
          ))}
        </div>
      )}
      {policy.value === undefined && failure.value === '' && <p class="muted">Loading…</p>}
      {policy.value !== undefined && policyChanges.value !== changesSeen.value && (
        <div class="banner waiting" role="status">
          <span>The policy was changed elsewhere meanwhile.</span>
          <button type="button" onClick={() => void load()}>
            Load it
          </button>
        </div>
      )}
      {policy.value !== undefined && (
        <form
          class="policy"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            if (changed > 0 && !saving.value) void save();
          }}
        >
          {groupsOf(policy.value).map(({ title, fields }) => (
            <fieldset key={title}>
              <legend>{title}</legend>
              {fields.map((field) => (
                <Field
                  key={field.name}
                  field={field}
                  text={texts.value[field.name] ?? ''}
                  error={errors.value.byField[field.name]}
                  changed={field.name in patch.value}
                  onText={(text) => (texts.value = { ...texts.value, [field.name]: text })}
                />
              ))}
            </fieldset>
          ))}
          <footer class="buttons">
            <span class="muted" aria-live="polite">
              {changed === 0 ? 'No changes' : changed === 1 ? 'One change' : `${changed} changes`}
            </span>
            <button type="button" class="quiet" onClick={leaveDialog}>
              Cancel
            </button>
            <button type="submit" class="primary" disabled={changed === 0 || saving.value}>
              {saving.value ? 'Saving…' : 'Save'}
            </button>
          </footer>
        </form>
      )}
    </Dialog>
  );
}

interface FieldProps {
  readonly field: PolicyField;
  readonly text: string;
  readonly error: string | undefined;
  readonly changed: boolean;
  readonly onText: (text: string) => void;
}

function Field({ field, text, error, changed, onText }: FieldProps) {
  const { name, label, kind, unit, hint, empty, choices } = field;
  const id = `policy-${name}`;
  const described = {
    id,
    'aria-invalid': error !== undefined,
    'aria-describedby': `${id}-error ${id}-hint`,
  };
  return (
    <div
      class={`field of-${kind} ${changed ? 'changed' : ''} ${error === undefined ? '' : 'wrong'}`}
    >
      <label for={id}>{label}</label>
      {kind === 'switch' ? (
        <input
          {...described}
          type="checkbox"
          checked={text === 'true'}
          onChange={(event) => onText(String(event.currentTarget.checked))}
        />
      ) : kind === 'choice' ? (
        <select {...described} value={text} onChange={(event) => onText(event.currentTarget.value)}>
          {choices?.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      ) : (
        <span class="box">
          <input
            {...described}
            type="text"
            inputMode={kind === 'number' ? 'decimal' : 'text'}
            autocomplete="off"
            placeholder={empty}
            value={text}
            onInput={(event) => onText(event.currentTarget.value)}
          />
          {unit !== undefined && <span class="unit muted">{unit}</span>}
        </span>
      )}
      <p class="error" id={`${id}-error`}>
        {error}
      </p>
      <p class="muted hint" id={`${id}-hint`}>
        {hint}
      </p>
    </div>
  );
}
