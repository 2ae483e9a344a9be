import { noDefaults } from './settings.ts';

/**
 * Neither proxies nor targets: link-local addresses, and the services at which clouds give out credentials of the machine.
 * 169.254.0.0/16 holds the metadata services of AWS, Google Cloud, Azure, Oracle Cloud, DigitalOcean and OpenStack.
 */
export const deniedByDefault: readonly string[] = [
  '169.254.0.0/16',
  'fe80::/10',
  // AWS over IPv6.
  'fd00:ec2::254',
  // Google Cloud, by name.
  'metadata.google.internal',
  'metadata.goog',
  // Alibaba Cloud.
  '100.100.100.200',
  // Azure's own services beside the metadata.
  '168.63.129.16',
];

/** What an operator denies, and what is denied by default unless the list says `none`. */
export function withDefaults(denied: readonly string[] = []): readonly string[] {
  const own = denied.filter((rule) => rule !== noDefaults);
  return denied.includes(noDefaults) ? own : [...deniedByDefault, ...own];
}
