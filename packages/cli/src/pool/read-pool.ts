import { InvalidProxyError, readProxyList, type Proxy } from '@whirl/rotator';
import { UsageError } from '../exit-codes.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { PoolOptions } from './options.ts';
import { faultLines, readEntries, readSource } from './read-list.ts';

/** The proxies that the options name. Throws a UsageError that names every line that is not one. */
export async function readPool(options: PoolOptions, terminal: Terminal): Promise<Proxy[]> {
  const { proxies, proxiesFile } = options;
  if (proxies === undefined && proxiesFile === undefined) {
    throw new UsageError(
      'no proxies: name them with --proxies or --proxies-file, or in WHIRL_PROXIES or WHIRL_PROXIES_FILE',
    );
  }
  const found: Proxy[] = [];
  if (proxies !== undefined) {
    found.push(...understood('--proxies', proxies.split(/[,\s]+/).join('\n'), options));
  }
  if (proxiesFile !== undefined) {
    const text = await readSource(proxiesFile, terminal.stdin);
    found.push(...understood(proxiesFile, text, options));
  }
  if (found.length === 0) throw new UsageError('the list has no proxies');
  return found;
}

function understood(source: string, text: string, options: PoolOptions): Proxy[] {
  const { protocol, listFormat: format } = options;
  try {
    return readProxyList(text, { defaultProtocol: protocol, format }).proxies;
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) {
      throw new UsageError(`--list-format: ${error.message}`);
    }
    if (!(error instanceof InvalidProxyError)) throw error;
    // The error names the first of them only.
    const { faults } = readEntries(text, { protocol, format });
    const all = faults.length > 0 ? faults : [{ line: 0, reason: error.message }];
    throw new UsageError(...faultLines(source, all));
  }
}
