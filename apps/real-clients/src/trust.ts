import { X509Certificate, createHash } from 'node:crypto';
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const browsers = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

export interface Trust {
  /** A browser that trusts the certificate, and runs as root too. */
  readonly browser: string;
  /** Variables under which curl, Python and Node trust the certificate, and `chromium` is that browser. */
  readonly environment: NodeJS.ProcessEnv;
  /** Free for what programs keep. */
  readonly folder: string;
  remove(): void;
}

/** Makes programs trust a certificate without an entry in any store of the machine. */
export function trust(ca: string): Trust {
  const folder = mkdtempSync(path.join(tmpdir(), 'whirl-clients-'));
  const file = path.join(folder, 'ca.pem');
  writeFileSync(file, ca);
  const spki = new X509Certificate(ca).publicKey.export({ type: 'spki', format: 'der' });
  const pin = createHash('sha256').update(spki).digest('base64');
  const programs = path.join(folder, 'bin');
  mkdirSync(programs);
  const browser = path.join(programs, 'chromium');
  const flags = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    `--ignore-certificate-errors-spki-list=${pin}`,
  ];
  // A profile of its own, which the flag for the certificate demands; a client that brings one comes later.
  const profile = '--user-data-dir="$(mktemp -d -p "$TMPDIR")"';
  writeFileSync(browser, `#!/bin/sh\nexec ${findBrowser()} ${profile} ${flags.join(' ')} "$@"\n`, {
    mode: 0o755,
  });
  return {
    browser,
    folder,
    environment: {
      HOME: folder,
      TMPDIR: folder,
      PATH: `${programs}:${process.env['PATH']}`,
      CURL_CA_BUNDLE: file,
      SSL_CERT_FILE: file,
      REQUESTS_CA_BUNDLE: file,
      NODE_EXTRA_CA_CERTS: file,
    },
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

function findBrowser(): string {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    for (const name of browsers) {
      const file = path.join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not this one.
      }
    }
  }
  throw new Error(`no browser on PATH; install one of: ${browsers.join(', ')}`);
}
