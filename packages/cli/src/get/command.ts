import { Option, type Command } from 'commander';
import { addPoolOptions, passwordHint } from '../pool/options.ts';
import type { Run } from '../terminal/run.ts';
import { collect, parseDuration, parseInteger, parseUrl } from '../terminal/arguments.ts';
import type { GetOptions } from './get.ts';

const examples = `
The body goes to stdout as it is, the attempts go to stderr as they happen. Redirects are not
followed. A POST, PUT or PATCH is tried again only when nothing of it was sent.

Exit code: 0 with a response, 7 when no proxy led to one, 18 when the body was cut off, 22 with
--fail and a status of 400 or more, 23 and 26 for files that cannot be written or read, 28 after a
timeout, 35 for TLS with the target, 2 for the command line.

${passwordHint}

Examples:
  whirl get https://api.example.com/ --proxies http://p1.example.com:80,socks5://p2.example.com
  whirl get https://api.example.com/ --proxies-file proxies.txt --retries 4 -m 30s > data.json
  whirl get https://api.example.com/ --proxies-file proxies.txt -H 'x-key: 7' -d @item.json
  whirl get https://api.example.com/ --proxies-file proxies.txt --session basket-17 --region DE -v`;

/** Adds `whirl get`. */
export function addGet(program: Command, run: Run): void {
  const command = program
    .command('get')
    .summary('fetch a URL through a proxy that works')
    .description(
      'Sends a request through a pool of proxies, and fails over until one leads to a response.',
    )
    .argument('<url>', 'what to ask for', parseUrl);
  addPoolOptions(command)
    .option('-X, --request <method>', 'default: GET, with -d POST')
    .option('-H, --header <line>', '"name: value"; may be repeated', collect)
    .option(
      '-d, --data <data>',
      'the body: a string, @file, or @- for stdin; several are joined with &',
      collect,
    )
    .option('-o, --output <file>', 'write the body there')
    .option('-i, --include', 'write the head of the response before the body')
    .option('-f, --fail', 'no body, and exit code 22, for a status of 400 or more')
    .option('-m, --max-time <time>', 'for the whole request: 30s', parseDuration)
    .addOption(
      new Option('--connect-timeout <time>', 'for the way through each proxy')
        .argParser(parseDuration)
        .default(10_000, '10s'),
    )
    .option(
      '--retries <number>',
      'further attempts, through another proxy while there is one',
      parseInteger(0, 9),
      2,
    )
    .option('-q, --quiet', 'nothing on stderr')
    .option('-v, --verbose', 'each connection, and where its time went')
    .addHelpText('after', examples)
    .action((url: URL, options: GetOptions) =>
      run(async (terminal) => (await import('./get.ts')).get(url, options, terminal)),
    );
}
