/** Which side of a connection says something first, as far as the port of the target tells. */
export type FirstSpeaker = 'client' | 'server' | 'either';

/** FTP, SSH, Telnet, SMTP, POP3, IMAP, MySQL, VNC, IRC. */
const serverFirstPorts = new Set([21, 22, 23, 110, 143, 587, 2525, 3306, 5900, 6667]);

/** TLS from the first byte on: HTTPS, SMTPS, NNTPS, LDAPS, DNS, FTPS, IMAPS, POP3S, SIPS, XMPP, AMQPS, IRCS, MQTTS. */
const clientFirstPorts = new Set([
  443, 465, 563, 636, 853, 989, 990, 993, 995, 5061, 5223, 5671, 6697, 8443, 8883, 9443,
]);

export function firstSpeakerOn(port: number): FirstSpeaker {
  if (clientFirstPorts.has(port)) return 'client';
  return serverFirstPorts.has(port) ? 'server' : 'either';
}
