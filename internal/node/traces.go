package node

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/internal/agent"
)

// tracer tells a collector what the agents do and how long it takes. It is an agent.Observer.
type tracer struct{ trace.Tracer }

// flushPatience is how long a node that stops tries to tell the last spans.
const flushPatience = 3 * time.Second

// makeTracer sends spans to the collector that the configuration names.
func (n *Node) makeTracer(ctx context.Context) error {
	target, err := url.JoinPath(n.cfg.Traces, "v1/traces")
	if err != nil {
		return fmt.Errorf("traces to %s: %w", n.cfg.Traces, err)
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(target))
	if err != nil {
		return fmt.Errorf("traces to %s: %w", n.cfg.Traces, err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { // the process's, as the library has it
		n.cfg.Log.Warn("the collector does not take traces", "err", err)
	}))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(resource.NewSchemaless(
		attribute.String("service.name", "bacalhau"), attribute.String("service.version", Version),
		attribute.String("service.instance.id", n.self.Hex()),
	)))
	n.closers = append(n.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), flushPatience)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil { // which loses spans and nothing else
			n.cfg.Log.Warn("the last traces were not taken", "err", err)
		}
		return nil
	})
	n.tracer = &tracer{provider.Tracer("bacalhau")}
	n.fetcher.HTTP.Transport = tracedTransport{n.fetcher.HTTP.Transport, n.tracer}
	return nil
}

// observer is nil if nobody collects traces.
func (n *Node) observer() agent.Observer {
	if n.tracer == nil {
		return nil
	}
	return n.tracer
}

// Begin begins a span in the trace of the action's execution, or else of its job. A trace has the first half of that id,
// so that what several parties tell of one execution meets in one trace.
func (t *tracer) Begin(ctx context.Context, a agent.About) (context.Context, func(error)) {
	id := a.Job
	attributes := []attribute.KeyValue{attribute.String("job", a.Job.Hex())}
	if a.Execution != (common.Hash{}) {
		id = a.Execution
		attributes = append(attributes, attribute.String("execution", id.Hex()))
	}
	if a.Seat != 0 {
		attributes = append(attributes, attribute.Int("seat", int(a.Seat)))
	}
	subject := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID(id[:16]), SpanID: trace.SpanID(id[16:24]), TraceFlags: trace.FlagsSampled, Remote: true,
	})
	return t.span(trace.ContextWithSpanContext(ctx, subject), a.Kind, attributes...)
}

// span begins a span below that of ctx. What belongs to no action is not told.
func (t *tracer) span(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, func(error)) {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ctx, func(error) {}
	}
	ctx, span := t.Start(ctx, name, trace.WithAttributes(attributes...))
	return ctx, func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
	}
}

// traced tells of every piece that an executor runs.
type traced struct {
	agent.Executor
	tracer *tracer
}

func (t traced) Run(ctx context.Context, task agent.Task) (agent.Output, error) {
	ctx, ended := t.tracer.span(ctx, "run piece", attribute.String("piece", task.Piece.Name))
	out, err := t.Executor.Run(ctx, task)
	ended(err)
	return out, err
}

// tracedLibrary tells of data that comes and goes.
type tracedLibrary struct {
	agent.Library
	tracer *tracer
}

func (l tracedLibrary) Fetch(ctx context.Context, dir common.Hash, endpoints []string) error {
	ctx, ended := l.tracer.span(ctx, "fetch", cidOf(dir))
	err := l.Library.Fetch(ctx, dir, endpoints)
	ended(err)
	return err
}

func (l tracedLibrary) FetchWithin(ctx context.Context, dir common.Hash, endpoints []string, maxBytes int64) error {
	ctx, ended := l.tracer.span(ctx, "fetch", cidOf(dir))
	err := l.Library.FetchWithin(ctx, dir, endpoints, maxBytes)
	ended(err)
	return err
}

func (l tracedLibrary) Publish(ctx context.Context, files map[string]io.Reader, links map[string]common.Hash) (common.Hash, error) {
	ctx, ended := l.tracer.span(ctx, "publish")
	dir, err := l.Library.Publish(ctx, files, links)
	trace.SpanFromContext(ctx).SetAttributes(cidOf(dir))
	ended(err)
	return dir, err
}

func cidOf(dir common.Hash) attribute.KeyValue {
	return attribute.String("cid", data.FromDigest(dir).String())
}

// tracedTransport tells of requests to other nodes and gateways, until their answers are read.
type tracedTransport struct {
	http.RoundTripper
	tracer *tracer
}

func (t tracedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, ended := t.tracer.span(r.Context(), r.Method, attribute.String("url.full", r.URL.Redacted()))
	resp, err := t.RoundTripper.RoundTrip(r.WithContext(ctx))
	if err != nil {
		ended(err)
		return resp, err
	}
	trace.SpanFromContext(ctx).SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
	resp.Body = tracedBody{resp.Body, ended}
	return resp, nil
}

type tracedBody struct {
	io.ReadCloser
	ended func(error)
}

func (b tracedBody) Close() error {
	err := b.ReadCloser.Close()
	b.ended(err)
	return err
}
