import { execFileSync } from 'node:child_process';
import type { Credentials } from './software/software.ts';

/** Hashed as crypt(3) has it, which squid, Apache and HAProxy read. */
function withHash(username: string, password: string): Credentials {
  const hash = execFileSync('openssl', ['passwd', '-6', '-salt', 'whirl', '-stdin'], {
    input: password,
    encoding: 'utf8',
  }).trim();
  return { username, password, hash };
}

/** With characters that URLs, Basic and configuration files treat in their own ways. */
export const credentials = withHash('user', 'p@ss:w%rd/');

/** For software whose configuration takes letters and digits alone. */
export const simpleCredentials = withHash('user', 'Secret.42');

/** The user that test-proxies.mjs adds within the private namespaces. */
export const systemUser = withHash('whirl-user', 'Secret.42');
