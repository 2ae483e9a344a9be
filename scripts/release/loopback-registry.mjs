// An npm registry on loopback that keeps what is published to it in memory: enough of the protocol for
// `pnpm publish`, `npm info` and `npm install`.
import { createServer } from 'node:http';

/** @returns {Promise<{ url: string, published: string[], close(): Promise<void> }>} */
export async function startRegistry() {
  /** Packuments by package name. */
  const packages = new Map();
  /** Tarballs by the path that their packument names. */
  const tarballs = new Map();
  /** Every `name@version`, in the order of publication. */
  const published = [];
  let url = '';

  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', url).pathname);
    const answer = (status, value) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    if (request.method === 'PUT') {
      let text = '';
      for await (const chunk of request) text += chunk;
      const sent = JSON.parse(text);
      const known = packages.get(sent.name) ?? { name: sent.name, versions: {}, 'dist-tags': {} };
      for (const [version, manifest] of Object.entries(sent.versions)) {
        if (known.versions[version] !== undefined) {
          return answer(409, { error: `${sent.name}@${version} is published already` });
        }
        const [attachment] = Object.values(sent._attachments);
        const file = `/${sent.name}/-/${sent.name.split('/').pop()}-${version}.tgz`;
        tarballs.set(file, Buffer.from(attachment.data, 'base64'));
        manifest.dist.tarball = url + file;
        known.versions[version] = manifest;
        published.push(`${sent.name}@${version}`);
      }
      Object.assign(known['dist-tags'], sent['dist-tags']);
      packages.set(sent.name, known);
      return answer(201, { ok: true });
    }
    const tarball = tarballs.get(path);
    if (tarball !== undefined) {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      return response.end(tarball);
    }
    const found = packages.get(path.slice(1));
    return found === undefined ? answer(404, { error: 'not found' }) : answer(200, found);
  });

  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${server.address().port}`;
  return {
    url,
    published,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
