/**
 * How the stand-ins send webhooks: real requests to the address that was registered, in no order and each of them twice, because
 * that is what vendors promise: at least once, whenever. One that is not answered with 2xx is sent again. What a request says
 * and how it is signed stands in each vendor's file.
 */
import { seeded, type Random } from "../data/random.ts";

export interface Message {
  readonly url: string;
  /** @param attempt from 0: a vendor may count, or sign the time of sending. */
  write(attempt: number): { readonly headers: Readonly<Record<string, string>>; readonly body: string };
}

export interface WebhookSender {
  /** Sends what there is to tell. Resolves when every request was answered or given up. */
  flush(): Promise<void>;
  /** From now on by itself, soon after something happened. */
  live(): void;
  /** Something happened: wakes a sender that is live. */
  wake(): void;
  /** Status → how many requests were answered so; 0: not at all. */
  readonly answers: Record<number, number>;
  close(): void;
}

export interface SenderOptions {
  /** Takes away what there is to tell. */
  readonly take: () => readonly Message[];
  /** Requests of one message, however well they are answered. @default 2 */
  readonly copies?: number;
  /** Of the order. @default 1 */
  readonly seed?: number;
}

/** Tries of one request. */
const TRIES = 4;
const PAUSE_MILLISECONDS = 100;
/** What happens within so long leaves together. */
const SOON_MILLISECONDS = 50;

export function createSender({ take, copies = 2, seed = 1 }: SenderOptions): WebhookSender {
  const random: Random = seeded(seed);
  const answers: Record<number, number> = {};
  let live = false;
  let closed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending: Promise<void> = Promise.resolve();

  async function send(message: Message, copy: number): Promise<void> {
    for (let attempt = 0; attempt < TRIES && !closed; attempt++) {
      const { headers, body } = message.write(copy + attempt);
      const status = await fetch(message.url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body, signal: AbortSignal.timeout(5_000) })
        .then(async (answer) => { await answer.arrayBuffer(); return answer.status; }, () => 0);
      answers[status] = (answers[status] ?? 0) + 1;
      if (status >= 200 && status < 300) return;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS * (attempt + 1)));
    }
  }

  async function sendAll(): Promise<void> {
    const messages = take();
    for (const { message, copy } of random.shuffle(messages.flatMap((message) => Array.from({ length: copies }, (_, copy) => ({ message, copy }))))) await send(message, copy);
  }

  const flush = (): Promise<void> => (sending = sending.then(sendAll));
  const wake = (): void => {
    if (!live || closed || timer !== undefined) return;
    timer = setTimeout(() => { timer = undefined; void flush(); }, SOON_MILLISECONDS);
  };
  return {
    flush, answers, wake,
    live() {
      live = true;
      wake();
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
