import { lines, type Software } from './software.ts';

/** SOCKS 4, 4a and 5. Its passwords are those of the machine's users, so it starts as root for them. */
export const dante: Software = {
  name: 'dante',
  debianPackage: 'dante-server',
  executable: 'danted',
  launch({ folder, host, port, credentials, forbiddenPorts }) {
    const anywhere = ['  from: 0/0 to: 0/0'];
    return {
      args: ['-f', `${folder}/danted.conf`, '-p', `${folder}/danted.pid`],
      asRoot: credentials !== undefined,
      files: {
        'danted.conf': lines(
          `logoutput: ${folder}/danted.log`,
          `internal: ${host} port = ${port}`,
          'external: lo',
          'clientmethod: none',
          `socksmethod: ${credentials === undefined ? 'none' : 'username'}`,
          credentials && 'user.privileged: root',
          credentials && 'user.unprivileged: nobody',
          'client pass {',
          ...anywhere,
          '}',
          ...forbiddenPorts.flatMap((each) => [
            'socks block {',
            `${anywhere[0]} port = ${each}`,
            '}',
          ]),
          'socks pass {',
          ...anywhere,
          '}',
        ),
      },
    };
  },
};
