type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Squid's error codes for a request that its own rules refuse. */
const squidRefusals = /^ERR_(ACCESS_DENIED|FORWARDING_DENIED|SECURE_ACCEPT_FAIL|TOO_BIG)\b/;
/** Squid's error codes for when it cannot serve any request. */
const squidFailures = /^ERR_(CANNOT_FORWARD|SOCKET_FAILURE|ICAP_FAILURE|NO_RELAY)\b/;

/** Error types of RFC 9209, section 2.3, that speak of a rule of the proxy. */
const refusals = new Set([
  'destination_ip_prohibited',
  'http_request_denied',
  'connection_limit_reached',
]);
/** Those that speak of the proxy itself. */
const failures = new Set([
  'proxy_internal_response',
  'proxy_internal_error',
  'proxy_configuration_error',
  'proxy_loop_detected',
]);

/**
 * What the headers of a response in absolute form state about where it comes from: `target` when the
 * proxy forwarded it, `refused` when a rule of the proxy speaks, `proxy` when the proxy itself failed.
 * Undefined when they do not tell: that a proxy could not reach a target may be either's.
 */
export function statedBy(
  headers: Headers,
  proxyHost: string,
): 'target' | 'refused' | 'proxy' | undefined {
  const squid = first(headers['x-squid-error']);
  if (squid !== undefined) {
    if (squidRefusals.test(squid)) return 'refused';
    return squidFailures.test(squid) ? 'proxy' : undefined;
  }
  const status = last(headers['proxy-status']);
  if (status !== undefined) {
    const error = /;\s*error\s*=\s*"?([a-z_]+)/i.exec(status)?.[1]?.toLowerCase();
    if (error !== undefined) {
      if (refusals.has(error)) return 'refused';
      return failures.has(error) ? 'proxy' : undefined;
    }
    if (/;\s*received-status\s*=\s*\d{3}/i.test(status)) return 'target';
  }
  return forwardedBy(last(headers['via']), proxyHost) ? 'target' : undefined;
}

/** Whether the last hop that Via names (RFC 9110, section 7.6.3) is this proxy. */
function forwardedBy(via: string | undefined, proxyHost: string): boolean {
  const by = via?.trim().split(/\s+/)[1];
  if (by === undefined) return false;
  const host = by.replace(/:\d+$/, '').toLowerCase();
  return host === proxyHost.toLowerCase();
}

function first(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

/** The last member of a list header, which the nearest hop has written. */
function last(value: string | string[] | undefined): string | undefined {
  const text = typeof value === 'string' ? value : value?.at(-1);
  return text?.slice(text.lastIndexOf(',') + 1);
}
