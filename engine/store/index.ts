/**
 * The only door to PostgreSQL. Rows of tenants are reached inside a tenant transaction; secrets and raw records leave and
 * enter sealed. Functions that take `at` take part in the caller's tenant transaction, or make their own on a database.
 */
export { addApiKey, findApiKey, listApiKeys, revokeApiKey, withOperatorKeys, type ApiKeyGrant, type ApiKeyState, type NewApiKey } from "./api-keys.ts";
export { listAudit, PLATFORM, recordAudit, type Actor, type AuditEntry, type AuditFilter, type AuditLine } from "./audit.ts";
export { buckets } from "./buckets.ts";
export { describeConnection, listConnections, readConnectionValues, readPreviousSecrets, setConnection, setConnectionStatus, type Account, type ConnectionEntry, type ConnectionState, type SecretState } from "./connections.ts";
export { addConsent, consentPort, dropConsent, useConsent, type EndedConsent } from "./consents.ts";
export { createChange, dropDraft, getChange, listChanges, listUnderReview, moveChange, notePullRequest, type ChangeFilter, type ChangePatch, type ChangeStatus, type StoredChange, type StoredPullRequest } from "./changes.ts";
export { listApplications, noteCommit, raiseAlarm, readConfiguration, type Alarm, type Application, type Configuration } from "./configuration.ts";
export { addConnectLink, CONNECT_TOKEN_PREFIX, endConnectLink, findConnectLink, listConnectLinks, liveConnectLink, revokeConnectLink, type ConnectLink } from "./connect-links.ts";
export { connectorHealth, connectorIds, findConnector, listConnectors, saveConnectors, type ConnectorHealth } from "./connectors.ts";
export { openDatabase, runtimeLogin, withTenant, type Database, type DatabaseOptions, type TenantTransaction, type Transaction } from "./database.ts";
export { addRefusals, announceEvents, askForReads, countReplayableEvents, EVENT_CHANNEL, eventLanes, eventLoad, getEvent, heldConnections, lastEvents, listEvents, listRefusals, markRouted, pruneEvents, readEventRaw, releaseHeld, replayEvents, settleEvents, storeArrivals, takeEvents,
  type ArrivedItem, type Arrival, type EventEffect, type EventEnd, type EventFilter, type EventLoad, type EventState, type EventStatus, type Lane, type PendingEvent, type ReadAsked, type Refusal, type Stored, type StoredRequest } from "./events.ts";
export { forgetRecords, heldBy, type Held } from "./forget.ts";
export { createKeyring, generateKey, type Keyring, type KeySource, type RemoteKey, type Purpose, type Sealer } from "./keyring.ts";
export { assertMigrated, mayMigrate, migrate, migrationStatus, QUEUE_SCHEMA, type Login, type MigrationStatus } from "./migrate.ts";
export { findTokenIssuer, listSignInProviders, listTokenIssuers, openSignInProvider, removeSignInProvider, removeTokenIssuer, saveSignInProvider, saveTokenIssuer,
  type SignInProvider, type SignInProviderState, type TokenIssuer, type TokenIssuerState } from "./issuers.ts";
export { addIdentity, addInvitation, addMembership, addReset, addUser, beginSignIn, changeRole, countTries, endMembership, findInvitation, findMember, findUser, findUserByEmail, findUserOfIdentity, forgiveTries, listInvitations,
  listMembers, setAssignments, setPassword, setSourcedMemberships, takeInvitation, takeReset, takeSignInUnderWay, tenantState, withdrawInvitation, type Invitation, type Member, type SignInUnderWay, type User } from "./people.ts";
export { claimQueue, dueQueues, finishQueue, nextQueue, putQueues, type ClaimedQueue, type QueueName } from "./queue-polls.ts";
export { claimRead, delayRead, dueReads, fenceRead, finishRead, nextRead, type Claimed, type ReadName } from "./pending-reads.ts";
export { writePush, type PushedPage, type PushRuns, type PushTarget } from "./push.ts";
export { getQuarantined, listQuarantine, quarantineGroups, markQuarantined, readQuarantinedRaw, type Quarantined, type QuarantineFilter, type QuarantineGroup, type QuarantineStatus } from "./quarantine.ts";
export { countRecords, entityCounts, getRecord, listContributions, listRecords, readRaw, type ContributionState, type EntityRecord, type RecordQuery } from "./records.ts";
export { newestRaw } from "./raw-samples.ts";
export { currentRevision, otherPlansInForce, readPlan, restoreRevision, saveRevision, type NewApplication, type Revision } from "./revisions.ts";
export { askForRows, changedTenants, pauseChanges, changeFlowStates, DELIVERY_CHANNEL, doneWithChanges, rowsNotFired, takeChanges, unfiredChanges, type ChangeCause, type ChangeFlowState, type NotFired, type RowChange, type Unfired } from "./row-changes.ts";
export { flowLoads, type FlowLoad, addDeliveries, addDelivery, beginAttempts, beginBatch, breakerOf, cancelDelivery, countReplayableDeliveries, claimAlike, claimDue, decideHeld, deliveryKey, deliveryLoad, findMinted, forgetDeliveries, getDelivery, keepClaims, KEPT_DAYS, listAttempts, listDeliveries, listHolds, markArrived, markOutcome, newDeliveryId, newerSent, nextDelivery,
  putOff, readDeliveryPayload, recall, recentDeliveries, releaseClaims, REPLAYABLE, replayDelivered, resolveUnknown, tenantsToDeliver,
  type ArrivedDelivery, type AttemptBegun, type AttemptEnd, type Beginning, type ClaimedDelivery, type Delivery, type DeliveryAttempt, type DeliveryFilter, type DeliveryKind, type DeliveryLoad, type DeliveryPayload, type DeliveryStatus, type Minted, type MintedToken, type NewDelivery, type Outcome } from "./deliveries.ts";
export { acknowledge, findReferenced, inputHash, linkedKeys, readLink, readRow, type Acknowledged, type FoundRow, type Link } from "./links.ts";
export { askBreaker, endProbe, listBreakers, noteFailure, noteSuccess, type BreakerSays, type BreakerState } from "./breakers.ts";
export { listOutgoingEndpoints, openOutgoingEndpoint, OVERLAP_SECONDS, putOutgoingEndpoint, removeOutgoingEndpoint, rotateEndpointSecret, switchOutgoingEndpoint, type OpenOutgoingEndpoint, type OutgoingEndpoint } from "./outgoing-endpoints.ts";
export { disconnect, forgetTokens, lockForEntry, nameAccount, pauseConnection, type Disconnected } from "./reconnect.ts";
export { noReferences, refusedReference, type ReferenceResolver, type ReferenceUse } from "./references.ts";
export { keyHeads, keyStatus, rotateDataKey, rotateKeyEncryptionKey, type KeyStatus, type Rotated, type RotationOptions, type RotationProgress } from "./rotation.ts";
export { runStore, type RunStoreOptions } from "./run-store.ts";
export { appendRunLog, changedByPolls, claimableRuns, claimRun, createRun, endLeasesOf, finishRun, getRun, lastRuns, listRuns, readRunLog, reapRuns, requestCancel,
  type LastRun, type Page, type Reaped, type Run, type RunCreated, type RunEnd, type RunFilter, type RunRequested, type RunStatus, type StoredLogLine } from "./runs.ts";
export { dueSchedules, fireSchedule, listSchedules, nextDue, obstacleOf, pauseFlow, type DueSchedule, type ScheduleState, type SkipReason } from "./schedules.ts";
export { beginConnecting, finishConnecting, latestConnecting, openChoice, takeConnecting, type OpenChoice, type SignInOutcome, type SignInState } from "./sign-ins.ts";
export { approveSweep, listSweepHolds, rejectSweep, type SweepHold } from "./sweeps.ts";
export { exportTenant, type ExportLine } from "./export.ts";
export { assertErasureToken, confirmErasureOf, eraseTenant, requestErasure, unfinishedErasures, type Erased, type ErasureAsked } from "./erase.ts";
export { readProfile, releaseOrganisation, reserveOrganisation, saveProfile, unfinishedOrganisations, type Reservation, type Reserved, type TenantProfile } from "./organisations.ts";
export { MOST_WAITING, proposedChanges, readOverviews, type RunBucket, type TenantOverview } from "./overview.ts";
export { addRequest, listAllRequests, listRequests, setRequestAnswer, type IntegrationRequest, type RequestFilter, type RequestStatus } from "./requests.ts";
export { addSession, endImpersonation, endLapsedImpersonations, endSession, endSessionsOf, findSession, listSessions, rotateSession, startImpersonation,
  type Impersonation, type NewSession, type Session, type SessionState } from "./sessions.ts";
export { ensureTenant, findTenant, findTenantBySubdomain, listTenants, resumeTenant, suspendTenant, type TenantHead, type TenantInForce, type TenantStatus } from "./tenants.ts";
export { tokenStore } from "./tokens.ts";
export { findAlias, findEndpoint, listEndpoints, makeEndpoint, ownersOfAccount, readFeeds, revokeEndpoint, rotateEndpoint, saveAliases, saveFeeds, tenantOfSubdomain,
  type AccountOwner, type Alias, type ConnectorFeeds, type Endpoint, type EndpointName, type OpenEndpoint } from "./webhook-endpoints.ts";
