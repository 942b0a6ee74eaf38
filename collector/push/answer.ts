/** What a request is answered with, before it is written to a socket. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  readonly headers?: readonly (readonly [string, string])[];
}

export function json(body: unknown, headers: Answer["headers"] = []): Answer {
  return answer(200, JSON.stringify(body), headers);
}

export function text(status: number, body: string): Answer {
  return {
    status,
    contentType: "text/plain; charset=utf-8",
    body: `${body}\n`,
    headers: [["Cache-Control", "no-store"]],
  };
}

/** A request that is refused: thrown by handlers, answered as `apiErrorSchema`. `code` is part of the contract. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly code: string;
  readonly headers: NonNullable<Answer["headers"]>;
  constructor(status: number, code: string, message: string, headers: Answer["headers"] = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  answer(): Answer {
    const { code, message } = this;
    return answer(this.status, JSON.stringify({ error: { code, message } }), this.headers);
  }
}

function answer(status: number, body: string, headers: NonNullable<Answer["headers"]>): Answer {
  const contentType = "application/json; charset=utf-8";
  return { status, contentType, body, headers: [["Cache-Control", "no-store"], ...headers] };
}
