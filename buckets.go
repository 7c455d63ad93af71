package main

// The kinds of buckets that files.url may name beside folders, one line each.
// Google Cloud Storage (gocloud.dev/blob/gcsblob) and Azure
// (gocloud.dev/blob/azureblob) are a line more each; they are left out because
// each makes the process some 20 MB larger, also where it is not used.
import _ "gocloud.dev/blob/s3blob"
