import { InvalidProxyError, readProxyList, type Proxy } from '@whirl/rotator';
import { UsageError } from '../usage-error.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { ListOptions } from './options.ts';
import { issueLines, isMasked, readEntries, readSource } from './read-list.ts';

/** The proxies that the options name, at least one. Throws a UsageError that names every line that is not one. */
export async function readPool(options: ListOptions, terminal: Terminal): Promise<Proxy[]> {
  const { proxies, proxiesFile } = options;
  if (proxies === undefined && proxiesFile === undefined) {
    throw new UsageError(
      'no proxies: name them with --proxies or --proxies-file, or in WHIRL_PROXIES or WHIRL_PROXIES_FILE',
    );
  }
  const found = await readProxies(options, terminal);
  if (found.length === 0) throw new UsageError('the list has no proxies');
  return found;
}

/** The proxies that the options name. Throws a UsageError that names every line that is not one. */
export async function readProxies(options: ListOptions, terminal: Terminal): Promise<Proxy[]> {
  const { proxies, proxiesFile, proxiesVariable = '--proxies' } = options;
  const named =
    proxies === undefined
      ? []
      : understood(
          proxiesVariable,
          proxies
            .join(',')
            .split(/[,\s]+/)
            .join('\n'),
          options,
        );
  if (proxiesFile === undefined) return named;
  const text = await readSource(proxiesFile, terminal.stdin);
  return named.concat(understood(proxiesFile, text, options));
}

function understood(source: string, text: string, options: ListOptions): Proxy[] {
  const { protocol, listFormat: format } = options;
  if (text.trim() === '') return [];
  try {
    const { proxies } = readProxyList(text, { defaultProtocol: protocol, format });
    if (!proxies.some(isMasked)) return proxies;
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) {
      throw new UsageError(`--list-format: ${error.message}`);
    }
    if (!(error instanceof InvalidProxyError)) throw error;
    throw refused(source, text, options, error);
  }
  throw refused(source, text, options);
}

/** Every line that is refused; an error of the library names the first of them only. */
function refused(
  source: string,
  text: string,
  { protocol, listFormat: format }: ListOptions,
  error?: InvalidProxyError,
): UsageError {
  const { issues } = readEntries(text, { protocol, format });
  const all =
    issues.length > 0 || error === undefined ? issues : [{ line: 0, reason: error.message }];
  return new UsageError(issueLines(source, all));
}
