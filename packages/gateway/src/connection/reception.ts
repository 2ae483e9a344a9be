import type net from 'node:net';
import type { GatewayContext } from './gateway-context.ts';
import { readBasic } from '../access/credential-list.ts';
import { CredentialsRefusal } from '../access/credentials-refusal.ts';
import { readUsername, UsernameError, type ParsedUsername } from '../routing/username.ts';
import { readWishFields } from '../routing/wish-fields.ts';
import type { Authority } from '../head/authority.ts';
import { Refusal } from '../head/refusal.ts';
import { has, listOf, valuesOf } from '../head/request-head.ts';

/** What a client at `address` says in a username and a password. Throws a `CredentialsRefusal`. */
export function admit(
  { credentials, wrongPasswords }: GatewayContext,
  address: string,
  given: { readonly username: string; readonly password: string } | undefined,
): ParsedUsername {
  if (given === undefined) {
    if (credentials.size === 0) return { name: '', wishes: {} };
    throw new CredentialsRefusal(407, 'this proxy wants a username and a password');
  }
  const { username, password } = given;
  let read: ParsedUsername;
  try {
    read = readUsername(username);
  } catch (error) {
    if (!(error instanceof UsernameError)) throw error;
    throw new CredentialsRefusal(407, `the username is not understood: ${error.message}`);
  }
  if (credentials.size === 0 || credentials.matches({ name: read.name, password })) return read;
  if (wrongPasswords.note(address, read.name, password)) {
    throw new CredentialsRefusal(
      429,
      'too many wrong passwords from this address',
      wrongPasswords.waitMs(address),
    );
  }
  throw new CredentialsRefusal(407, 'the username or the password is wrong');
}

/** The same for the fields of a request, in which `X-Whirl-*` stand above the username. */
export function admitFields(
  context: GatewayContext,
  address: string,
  fields: readonly string[],
): ParsedUsername {
  const given = valuesOf(fields, 'proxy-authorization');
  const needed = context.credentials.size > 0;
  if (given.length > 1)
    throw new CredentialsRefusal(407, 'there are two Proxy-Authorization fields');
  const basic = given[0] === undefined ? undefined : readBasic(given[0]);
  if (given.length === 1 && basic === undefined && needed) {
    throw new CredentialsRefusal(
      407,
      'Proxy-Authorization must be Basic, with username and password',
    );
  }
  const asked = admit(context, address, basic);
  try {
    const wishes = readWishFields(fields);
    return wishes === undefined ? asked : { ...asked, wishes: { ...asked.wishes, ...wishes } };
  } catch (error) {
    if (!(error instanceof UsernameError)) throw error;
    throw new Refusal(400, error.message);
  }
}

/** Throws a `Refusal` with 508 for a request that has come through this gateway before. */
export function checkLoop({ pseudonym, loops }: GatewayContext, fields: readonly string[]): void {
  if (
    has(fields, 'via') &&
    listOf(fields, 'via').some((each) => each.split(/[ \t]+/)[1] === pseudonym)
  ) {
    throw new Refusal(508, 'the request has come through this gateway before');
  }
  if (loops.size > 0) throw new Refusal(508, 'a proxy of the pool is this gateway itself');
}

/** Throws a `Refusal` with 403 for a target that may not be asked for. */
export function checkTarget({ targets }: GatewayContext, to: Authority): void {
  const refusal = targets.refusal(to);
  if (refusal !== undefined) throw new Refusal(403, refusal);
}

/** The address of a client, as limits count it. */
export function addressOf(socket: net.Socket): string {
  return socket.remoteAddress ?? '';
}
