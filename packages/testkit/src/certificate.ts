import { generate } from 'selfsigned';

export interface Certificate {
  /** PEM, to be trusted as a certificate authority too. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

const made = new Map<string, Promise<Certificate>>();

async function make(commonName: string): Promise<Certificate> {
  const pems = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: commonName },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
  return { cert: pems.cert, key: pems.private };
}

/** A self-signed certificate for a name and both loopback addresses, made once per process. */
export function certificateOf(commonName = 'localhost'): Promise<Certificate> {
  let certificate = made.get(commonName);
  if (certificate === undefined) made.set(commonName, (certificate = make(commonName)));
  return certificate;
}
