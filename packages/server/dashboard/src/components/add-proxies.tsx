import { useSignal } from '@preact/signals';
import { ApiError } from '../api-client.ts';
import { closeDialog } from '../dialogs.ts';
import { formatNumber } from '../format.ts';
import { placeErrors } from '../policy-form.ts';
import { addProxy, importProxies } from '../calls.ts';
import { say } from '../toasts.ts';
import { Dialog } from './dialog.tsx';

/** Forms to add one proxy or a list; after success the dialog they may stand in is closed. */
export function AddProxies() {
  return (
    <div class="add">
      <AddOne />
      <Import />
    </div>
  );
}

export function AddDialog() {
  return (
    <Dialog
      name="add"
      title="Add proxies"
      edited={() =>
        [...document.querySelectorAll<HTMLInputElement>('.add input, .add textarea')].some(
          ({ value }) => value.trim() !== '',
        )
      }
    >
      <AddProxies />
    </Dialog>
  );
}

const fieldNames = ['url', 'region', 'tags', 'weight'] as const;
type FieldName = (typeof fieldNames)[number];

const boxes: readonly (readonly [FieldName, string, string])[] = [
  ['url', 'Address', 'http://user:password@host:8080'],
  ['region', 'Region (optional)', 'eu'],
  ['tags', 'Tags (optional)', 'fast, residential'],
];

function AddOne() {
  const texts = useSignal<Partial<Record<FieldName, string>>>({});
  const errors = useSignal<Readonly<Record<string, string>>>({});
  const failure = useSignal('');
  const busy = useSignal(false);
  const add = async () => {
    busy.value = true;
    const { url = '', region = '', tags = '' } = texts.value;
    try {
      await addProxy({
        url: url.trim(),
        ...(region.trim() === '' ? {} : { region: region.trim() }),
        ...(tags.trim() === '' ? {} : { tags: tags.split(/[\s,]+/).filter(Boolean) }),
      });
      say('The proxy was added.');
      closeDialog();
    } catch (error) {
      const { message, details } = error as ApiError;
      const placed = placeErrors(details ?? {}, fieldNames);
      errors.value = placed.byField;
      const elsewhere = Object.keys(placed.byField).length === 0;
      failure.value = elsewhere ? message : placed.others.join('; ');
    } finally {
      busy.value = false;
    }
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy.value) void add();
      }}
    >
      <h3>One proxy</h3>
      {boxes.map(([name, label, example]) => {
        const error = errors.value[name];
        return (
          <div key={name} class={`field ${error === undefined ? '' : 'wrong'}`}>
            <label for={`add-${name}`}>{label}</label>
            <input
              id={`add-${name}`}
              type="text"
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              placeholder={example}
              aria-invalid={error !== undefined}
              aria-describedby={`add-${name}-error`}
              value={texts.value[name] ?? ''}
              onInput={(event) =>
                (texts.value = { ...texts.value, [name]: event.currentTarget.value })
              }
            />
            <p class="error" id={`add-${name}-error`}>
              {error}
            </p>
          </div>
        );
      })}
      <p class="error" role="alert">
        {failure.value}
      </p>
      <button type="submit" class="primary" disabled={busy.value || !texts.value.url?.trim()}>
        Add it
      </button>
    </form>
  );
}

function Import() {
  const text = useSignal('');
  const failure = useSignal('');
  const busy = useSignal(false);
  const add = async () => {
    busy.value = true;
    failure.value = '';
    try {
      const count = await importProxies(text.value);
      say(
        count === undefined
          ? 'The list was added.'
          : `Added ${formatNumber(count, 'proxy', 'proxies')}.`,
      );
      closeDialog();
    } catch (error) {
      failure.value = (error as Error).message;
    } finally {
      busy.value = false;
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy.value) void add();
      }}
    >
      <h3>A list</h3>
      <div class={`field ${failure.value === '' ? '' : 'wrong'}`}>
        <label for="import-list">One proxy a line, or JSON; all of them or none</label>
        <textarea
          id="import-list"
          rows={6}
          spellcheck={false}
          placeholder={'proxy1.example.com:8080\nsocks5://user:password@proxy2.example.com:1080'}
          aria-invalid={failure.value !== ''}
          aria-describedby="import-error"
          value={text.value}
          onInput={(event) => (text.value = event.currentTarget.value)}
        />
        <p class="error" id="import-error" role="alert">
          {failure.value}
        </p>
      </div>
      <button type="submit" class="primary" disabled={busy.value || text.value.trim() === ''}>
        Import
      </button>
    </form>
  );
}
