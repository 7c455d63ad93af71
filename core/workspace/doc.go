// Package workspace keeps the files of users and hands blocks the files that
// they work on.
//
// A file of a workspace is a row and an object of a bucket: a folder by default,
// or S3, Google Cloud Storage or Azure by URL (gocloud.dev/blob). The row is
// there before the object and goes after it, so that nothing is left in the
// bucket that the sweep does not find: a row is "writing" until its object is
// complete, then "live", and "deleting" until its object is gone. What a
// workspace may hold is reserved, in the row of the workspace, before the object
// is written.
//
// Blocks exchange files by reference: a data URI, which carries its content, the
// http(s) URL of a file elsewhere, or workspace://<id>. URLs are fetched through
// the guarded client that every provider's blocks have in common, so a reference
// never reaches a private network, also where a provider of its own may.
package workspace
