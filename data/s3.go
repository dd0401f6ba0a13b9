package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/ipfs/go-cid"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3 says how to reach an S3 object store. The zero value is Amazon's, with the
// credentials of the standard environment variables or profile (AWS_PROFILE,
// ~/.aws), and without any if there are none.
type S3 struct {
	// Endpoint is the base URL of another store than Amazon's; "" takes
	// AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL if one is set.
	Endpoint string
	// Region; "" takes AWS_REGION or AWS_DEFAULT_REGION, or asks the store.
	Region string
	// Anonymous ignores all credentials.
	Anonymous bool
}

const amazonS3 = "https://s3.amazonaws.com"

// Check reports what is wrong with the settings; it does not connect.
func (o S3) Check() error {
	_, err := o.endpoint()
	return err
}

func (o S3) endpoint() (*url.URL, error) {
	base := firstSet(o.Endpoint, os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"), amazonS3)
	u, err := url.Parse(base)
	if err == nil {
		err = checkURL(u)
	}
	if err == nil && strings.Trim(u.Path, "/") != "" {
		err = fmt.Errorf("URL %q has a path: give scheme and host only", u.Redacted())
	}
	if err != nil {
		return nil, fmt.Errorf("S3 endpoint: %w", err)
	}
	return u, nil
}

func firstSet(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func (o S3) client() (minio.Core, error) {
	u, err := o.endpoint()
	if err != nil {
		return minio.Core{}, err
	}
	signer := credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}})
	if o.Anonymous {
		signer = credentials.NewStatic("", "", "", credentials.SignatureAnonymous)
	}
	c, err := minio.NewCore(u.Host, &minio.Options{
		Creds: signer, Secure: u.Scheme == "https", Region: firstSet(o.Region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")),
		Transport: ownClient().Transport, MaxRetries: maxFruitless,
	})
	if err != nil {
		return minio.Core{}, err
	}
	return *c, nil
}

// IsS3 reports whether a URL names objects in an S3 store.
func IsS3(source string) bool { return strings.HasPrefix(source, "s3://") }

// AddS3 downloads the object s3://bucket/key once, stores it as one file and pins
// it. A URL that ends in a slash, s3://bucket/prefix/ or s3://bucket/, gives a
// directory of all objects below. At most maxBytes are accepted in all (0 is no
// limit), beyond that the error is ErrTooLarge. Where the connection breaks it
// goes on from there; an object that changes meanwhile is an error.
func (s *Store) AddS3(ctx context.Context, o S3, source string, maxBytes int64) (cid.Cid, error) {
	c, err := s.addS3(ctx, o, source, maxBytes)
	if err != nil {
		return cid.Undef, fmt.Errorf("add %s: %w", source, s3Error(err))
	}
	return c, nil
}

func (s *Store) addS3(ctx context.Context, o S3, source string, maxBytes int64) (cid.Cid, error) {
	bucket, key, ok := strings.Cut(strings.TrimPrefix(source, "s3://"), "/")
	if !IsS3(source) || !ok || bucket == "" {
		return cid.Undef, errors.New("not of the form s3://bucket/key or s3://bucket/prefix/")
	}
	client, err := o.client()
	if err != nil {
		return cid.Undef, err
	}
	all := &budget{left: maxBytes, unlimited: maxBytes <= 0}
	if key != "" && !strings.HasSuffix(key, "/") {
		r := &object{ctx: ctx, client: client, bucket: bucket, key: key, all: all}
		defer r.Close()
		return s.AddFile(ctx, r)
	}
	files := map[string]Source{}
	for info := range client.ListObjectsIter(ctx, bucket, minio.ListObjectsOptions{Prefix: key, Recursive: true}) {
		if info.Err != nil {
			return cid.Undef, info.Err
		}
		path := strings.TrimPrefix(info.Key, key)
		if path == "" || strings.HasSuffix(path, "/") {
			continue // consoles make such objects to show a folder
		}
		if len(files) == maxObjects {
			return cid.Undef, fmt.Errorf("%w: more than %d objects", ErrTooLarge, maxObjects)
		}
		if err := all.reserve(info.Size); err != nil {
			return cid.Undef, err
		}
		r := &object{ctx: ctx, client: client, bucket: bucket, key: info.Key, etag: info.ETag, all: &budget{left: info.Size}}
		defer r.Close()
		files[path] = Reader(r)
	}
	if len(files) == 0 {
		return cid.Undef, errors.New("no objects there")
	}
	return s.AddFiles(ctx, files)
}

// maxObjects bounds what one prefix may hold.
const maxObjects = 1 << 20

// budget is how many bytes may still be taken.
type budget struct {
	left      int64
	unlimited bool
}

func (b *budget) reserve(n int64) error {
	if b.unlimited {
		return nil
	}
	if b.left -= n; b.left < 0 {
		return fmt.Errorf("%w: more bytes than allowed", ErrTooLarge)
	}
	return nil
}

// object reads one object. It connects on the first read, and closes at the end.
type object struct {
	ctx         context.Context
	client      minio.Core
	bucket, key string
	etag        string // the version to read; "" is the first that is met
	all         *budget
	body        *resuming
	done        bool
}

func (o *object) Read(p []byte) (int, error) {
	if o.done {
		return 0, io.EOF
	}
	if o.body == nil {
		first, err := o.from(o.ctx, 0)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", o.key, err)
		}
		o.body = &resuming{ctx: o.ctx, body: first, from: o.from}
	}
	n, err := o.body.Read(p)
	if over := o.all.reserve(int64(n)); over != nil {
		return 0, over
	}
	if err == io.EOF {
		o.done = true
		o.Close()
	}
	return n, err
}

func (o *object) from(ctx context.Context, offset int64) (io.ReadCloser, error) {
	var options minio.GetObjectOptions
	if offset > 0 {
		if err := options.SetRange(offset, 0); err != nil {
			return nil, err
		}
	}
	if o.etag != "" {
		if err := options.SetMatchETag(o.etag); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	body, info, _, err := o.client.GetObject(ctx, o.bucket, o.key, options)
	if err != nil {
		cancel(nil)
		if status := minio.ToErrorResponse(err).StatusCode; status >= 400 && status < 500 {
			err = fmt.Errorf("%w: %w", errNotResumable, err)
		}
		return nil, err
	}
	o.etag = info.ETag
	return &steady{ctx: ctx, cancel: cancel, body: body, idle: defaultIdle}, nil
}

func (o *object) Close() error {
	if o.body == nil {
		return nil
	}
	return o.body.Close()
}

// s3Error says what to do about a refusal.
func s3Error(err error) error {
	var said minio.ErrorResponse
	if !errors.As(err, &said) {
		return err
	}
	switch said.Code {
	case minio.AccessDenied:
		return fmt.Errorf("%w: give credentials by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a profile with AWS_PROFILE", err)
	case minio.NoSuchBucket, minio.NoSuchKey:
		return fmt.Errorf("%w: check the name, and the endpoint and region of the store", err)
	}
	return err
}
