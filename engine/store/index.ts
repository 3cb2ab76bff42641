/**
 * The only door to PostgreSQL. Rows of tenants are reached inside a tenant transaction; secrets and raw records leave and
 * enter sealed.
 */
export { openDatabase, withTenant, type Database, type DatabaseOptions, type TenantTransaction, type Transaction } from "./database.ts";
export { assertMigrated, migrate, migrationStatus, QUEUE_SCHEMA, type MigrationStatus } from "./migrate.ts";
