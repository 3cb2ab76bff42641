/**
 * What a page's main thread does from one frame to the next, out of a Chromium trace: scripting (JavaScript and its garbage
 * collection, without the style and layout it asks for) and everything together. Event names: the `devtools.timeline` category.
 */
interface TraceEvent { readonly name: string; readonly ph: string; readonly pid: number; readonly tid: number; readonly ts: number; readonly dur?: number; /** The thread's own time. */ readonly tts?: number; readonly tdur?: number; readonly args?: { readonly name?: string } }

export interface Frames { readonly frames: number; readonly scripting: Spread; readonly everything: Spread }
/** Milliseconds a frame, of the thread's own time: what else the machine does is not in it. */
export interface Spread { readonly p50: number; readonly p95: number; readonly max: number }

export const CATEGORIES = ["-*", "devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel", "v8.execute", "disabled-by-default-v8.gc", "__metadata"];

const SCRIPT = new Set(["FunctionCall", "EvaluateScript", "EventDispatch", "TimerFire", "FireAnimationFrame", "FireIdleCallback", "RunMicrotasks", "v8.callFunction", "V8.GCScavenger", "MinorGC", "MajorGC", "V8.GCFinalizeMC", "V8.GCIncrementalMarking", "XHRReadyStateChange"]);
const RENDER = new Set(["UpdateLayoutTree", "Layout", "PrePaint", "Paint", "Layerize", "Commit", "HitTest", "IntersectionObserverController::computeIntersections"]);

type Span = readonly [begin: number, end: number];

export function framesOf(trace: Buffer): Frames {
  const { traceEvents } = JSON.parse(trace.toString("utf8")) as { traceEvents: readonly TraceEvent[] };
  const main = busiest(traceEvents);
  const events = traceEvents.filter(({ pid, tid }) => `${pid}/${tid}` === main).toSorted((a, b) => a.ts - b.ts);
  const timed = events.filter(({ ph, tts, tdur }) => ph === "X" && tts !== undefined && tdur !== undefined);
  const spans = (names: (name: string) => boolean): Span[] => timed.filter(({ name }) => names(name)).map(({ tts, tdur }) => [tts!, tts! + tdur!]);
  const begins: number[] = [];
  let next = 0;
  for (const { ts } of events.filter(({ name, ph }) => name === "AnimationFrame" && ph === "b")) {
    while (next < timed.length && timed[next]!.ts < ts) next++;
    if (next < timed.length) begins.push(timed[next]!.tts!);
  }
  const render = joined(spans((name) => RENDER.has(name)));
  const script = without(joined(spans((name) => SCRIPT.has(name))), render);
  const tasks = joined(spans((name) => name === "RunTask" || name === "ThreadControllerImpl::RunTask"));
  const inFrames = (work: readonly Span[]): number[] => begins.map((begin, index) => within(work, begin, begins[index + 1] ?? Infinity) / 1000);
  return { frames: begins.length, scripting: spread(inFrames(script)), everything: spread(inFrames(tasks)) };
}

/** The renderer's main thread that did most: a spare renderer does nothing. */
function busiest(events: readonly TraceEvent[]): string {
  const mains = new Set(events.filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain").map(({ pid, tid }) => `${pid}/${tid}`));
  const work = new Map<string, number>();
  for (const { pid, tid, ph, dur = 0 } of events) if (ph === "X" && mains.has(`${pid}/${tid}`)) work.set(`${pid}/${tid}`, (work.get(`${pid}/${tid}`) ?? 0) + dur);
  return [...work].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? "";
}

/** Overlapping spans as one, in order. */
function joined(spans: readonly Span[]): Span[] {
  const made: [number, number][] = [];
  for (const [begin, end] of spans.toSorted((a, b) => a[0] - b[0])) {
    const last = made.at(-1);
    if (last !== undefined && begin <= last[1]) last[1] = Math.max(last[1], end);
    else made.push([begin, end]);
  }
  return made;
}

function without(spans: readonly Span[], holes: readonly Span[]): Span[] {
  return spans.flatMap(([begin, end]) => {
    const kept: Span[] = [];
    let at = begin;
    for (const [from, to] of holes) {
      if (to <= at || from >= end) continue;
      if (from > at) kept.push([at, from]);
      at = Math.max(at, to);
    }
    if (at < end) kept.push([at, end]);
    return kept;
  });
}

const within = (spans: readonly Span[], begin: number, end: number): number => spans.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, end) - Math.max(from, begin)), 0);

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p95: at(0.95), max: sorted.at(-1) ?? 0 };
}
