import { Option, type Command } from 'commander';
import type { ProxyProtocol } from '@whirl/rotator';
import { collect } from '../terminal/arguments.ts';

/** Which proxies there are. */
export interface ListOptions {
  readonly proxies?: readonly string[];
  readonly proxiesFile?: string;
  /** Where `proxies` was written, when that is a variable. */
  readonly proxiesVariable?: string;
  readonly protocol: ProxyProtocol;
  readonly listFormat?: string;
}

/** Which proxies there are, and which of them a request may take. */
export interface PoolOptions extends ListOptions {
  readonly region?: string;
  readonly session?: string;
  readonly tag?: readonly string[];
}

const variables = { proxies: 'WHIRL_PROXIES', proxiesFile: 'WHIRL_PROXIES_FILE' } as const;
const names = ['proxies', 'proxiesFile'] as const;

/**
 * Adds the options that name proxies. What is on the command line puts what is in the environment out of use. An empty
 * variable is unset.
 */
export function addListOptions(command: Command): Command {
  return command
    .hook('preAction', (_, action) => {
      const sources = names.map((name) => action.getOptionValueSource(name));
      for (const [i, name] of names.entries()) {
        if (sources[i] !== 'env') continue;
        const empty = process.env[variables[name]]?.trim() === '';
        if (empty || sources.includes('cli')) action.setOptionValue(name, undefined);
        else if (name === 'proxies') action.setOptionValue('proxiesVariable', variables.proxies);
      }
    })
    .addOption(
      new Option('--proxies <list>', 'proxies separated by commas; may be repeated')
        .argParser(collect)
        .env(variables.proxies),
    )
    .addOption(
      new Option(
        '--proxies-file <file>',
        'file with proxies, in any form of docs/lists.md; - is stdin',
      ).env(variables.proxiesFile),
    )
    .addOption(
      new Option('--protocol <protocol>', 'of proxies that name none')
        .choices(['http', 'https', 'socks4', 'socks4a', 'socks5', 'socks5h'])
        .default('http'),
    )
    .option('--list-format <format>', 'how lines are written, such as host:port:region');
}

/** Adds the options that name a pool, and which proxies of it a request may take. */
export function addPoolOptions(command: Command): Command {
  return addListOptions(command)
    .option('--region <region>', 'prefer proxies of this region')
    .option('--tag <tag>', 'only proxies with this tag; may be repeated', collect)
    .option('--session <name>', 'the same name takes the same proxy while that works');
}

/** What `addHelpText` says of them. */
export const passwordHint = `Passwords in arguments are seen by every process of this machine: use --proxies-file, or the
variables WHIRL_PROXIES and WHIRL_PROXIES_FILE.`;
