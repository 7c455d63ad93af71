package workspace

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
)

// OpenBucket opens where files are kept: the bucket of a URL (file, s3, gs or
// azblob), or, without one, the folder dir, which is made when missing.
func OpenBucket(ctx context.Context, address, dir string) (*blob.Bucket, error) {
	if address == "" {
		return openFolder(dir)
	}
	u, err := url.Parse(address)
	if err != nil {
		// Its text repeats the URL, which may hold a key.
		return nil, fmt.Errorf("files.url is not a URL")
	}
	if u.Scheme == "file" {
		return openFolder(u.Path)
	}
	if !blob.DefaultURLMux().ValidBucketScheme(u.Scheme) {
		return nil, fmt.Errorf("files.url: this server is built for folders and %s, not for %s://; buckets.go says how to add it",
			strings.Join(blob.DefaultURLMux().BucketSchemes(), ", "), u.Scheme)
	}
	b, err := blob.OpenBucket(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("opening the bucket of files.url (%s://%s): %w", u.Scheme, u.Host, err)
	}
	return b, nil
}

// openFolder keeps files in a folder that nobody else can read. Files appear
// whole: they are written beside their place and renamed.
func openFolder(dir string) (*blob.Bucket, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder for files: %w", err)
	}
	b, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite, DirFileMode: 0o700})
	if err != nil {
		return nil, fmt.Errorf("opening the folder for files: %w", err)
	}
	return b, nil
}
