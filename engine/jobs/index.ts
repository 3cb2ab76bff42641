/** When flows run and who runs them: the queue, the schedule, the worker. */
export { openJobs, type Jobs, type JobsOptions } from "./jobs.ts";
export { startWorker, type Worker, type WorkerOptions } from "./worker.ts";
export { triggerRun, type RunWanted } from "./trigger.ts";
export { isReplayable, replayQuarantine, type ReplayQueued, type ReplayWanted } from "./replay.ts";
export { scheduleInWords } from "./schedule.ts";
export type { ProgressBoard, RunProgress } from "./progress.ts";
export { fireRows, pendingRows, type PendingRows } from "./fire.ts";
export { previewDelivery, type DeliveryPreview } from "./preview-delivery.ts";
export { TEST_TYPE, testEndpoint, type EndpointTested } from "./test-endpoint.ts";
export type { DeliverySettings, Retention } from "./worker.ts";
export type { DeliveryPoint, DeliveryProbe } from "./outbox.ts";
