import type { Dispatcher } from 'undici';

/** What a verb takes as a body. Streams and iterators are sent once, all others can be replayed. */
export type RequestBody =
  | Dispatcher.RequestOptions['body']
  | URLSearchParams
  | ArrayBufferView
  | ArrayBuffer
  | Blob
  | FormData
  | ReadableStream;

/** A body that undici takes, and the content type that it implies. */
export interface EncodedBody {
  readonly body: Dispatcher.RequestOptions['body'];
  readonly contentType: string | undefined;
}

/**
 * Forms and blobs become bytes before the first attempt, so that every attempt sends the same ones
 * (the boundary of a form included). undici itself would post a global `FormData` as
 * "[object FormData]".
 */
export async function encodeBody(given: RequestBody | undefined): Promise<EncodedBody> {
  if (given instanceof URLSearchParams) {
    return {
      body: given.toString(),
      contentType: 'application/x-www-form-urlencoded;charset=UTF-8',
    };
  }
  if (given instanceof FormData || given instanceof Blob) {
    const encoded = new Response(given);
    const body = Buffer.from(await encoded.arrayBuffer());
    return { body, contentType: encoded.headers.get('content-type') ?? undefined };
  }
  if (given instanceof ArrayBuffer) return { body: Buffer.from(given), contentType: undefined };
  if (ArrayBuffer.isView(given)) {
    const { buffer, byteOffset, byteLength } = given;
    return { body: Buffer.from(buffer, byteOffset, byteLength), contentType: undefined };
  }
  return { body: given as Dispatcher.RequestOptions['body'], contentType: undefined };
}
