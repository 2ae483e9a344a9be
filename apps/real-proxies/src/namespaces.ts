/**
 * Whether the tests run where test-proxies.mjs puts them if it may: in namespaces of their own, with
 * loopback as the only network, a name server that knows no name, and one user more.
 */
export const namespaces = process.env['WHIRL_PROXIES_NAMESPACES'] === 'private';
