import { randomBytes } from 'node:crypto';

/** A piece of a body that can be read again and again. */
export type Part = Buffer | Blob;

export interface FormParts {
  readonly parts: readonly Part[];
  readonly contentType: string;
}

/**
 * A form as multipart/form-data (RFC 7578; names and line ends as the HTML standard encodes them). The entries
 * are those of now, under one boundary; files stay Blobs and are read when they are sent.
 */
export function formParts(form: FormData): FormParts {
  const boundary = `----whirl-${randomBytes(16).toString('hex')}`;
  const parts: Part[] = [];
  let text = '';
  for (const [name, value] of form) {
    text += `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(lines(name))}"`;
    if (typeof value === 'string') {
      text += `\r\n\r\n${lines(value)}\r\n`;
      continue;
    }
    const { name: fileName, type } = value as File;
    text += `; filename="${quoted(fileName)}"\r\n`;
    text += `Content-Type: ${type || 'application/octet-stream'}\r\n\r\n`;
    parts.push(Buffer.from(text), value as File);
    text = '\r\n';
  }
  parts.push(Buffer.from(`${text}--${boundary}--\r\n`));
  return { parts, contentType: `multipart/form-data; boundary=${boundary}` };
}

function lines(text: string): string {
  return text.replace(/\r\n|\n|\r/g, '\r\n');
}

function quoted(text: string): string {
  return text.replaceAll('\n', '%0A').replaceAll('\r', '%0D').replaceAll('"', '%22');
}
