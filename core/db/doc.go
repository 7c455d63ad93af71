// Package db opens the database, migrates it, and gives the rooms what they
// need to store their rows.
//
// There are two engines behind one API: SQLite, a file in the data folder that
// one process owns, and Postgres, which many processes share.
//
// # Reading and writing
//
// [DB.Write] may read and write, [DB.Read] only reads. On Postgres they are the
// same handle. On SQLite, Write is one connection and Read is several, so a
// long read never delays a write; what a transaction wrote is visible to Read
// once [DB.Tx] returned. Because Write is one connection there, code inside a
// transaction must use the transaction it was given: a second use of Write
// would wait for itself until its context ends.
//
// # Conventions for rows
//
//   - Ids are text. JSON is text: use [JSON].
//   - Times are UTC with milliseconds: use [Time]. The column type is
//     timestamptz(3) on Postgres and datetime on SQLite, whose driver only
//     turns text back into a time under that type name. SQLite keeps times as
//     text that sorts in order of time as long as every writer uses UTC, which
//     Time and the handles' own timestamps do.
//   - Text from outside goes through [Clean] before it is stored, because
//     Postgres refuses NUL characters and broken UTF-8.
//   - Errors are translated: a unique violation is gorm.ErrDuplicatedKey and a
//     broken reference is gorm.ErrForeignKeyViolated on both engines.
//
// # Migrations
//
// Each change of the schema is a pair of files with the same name,
// migrations/sqlite/NNNNN_name.sql and migrations/postgres/NNNNN_name.sql, each
// run in one transaction. They only go up. A file that was released is never
// edited. Package dbtest checks that row types and the schema agree.
package db
