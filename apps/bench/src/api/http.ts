import http from 'node:http';

const agent = new http.Agent({ keepAlive: true, maxSockets: 1000 });

/** A request to the API over kept connections, and its whole response. */
export function send(
  url: string,
  { method = 'GET', contentType = 'application/json', body = '' } = {},
): Promise<{ statusCode: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers =
      body === '' ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
    const request = http.request(url, { method, agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ statusCode: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}
