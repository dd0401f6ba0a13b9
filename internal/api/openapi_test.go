package api

import (
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/protocol"
)

type document struct {
	Paths      map[string]map[string]any
	Components struct {
		Schemas map[string]struct{ Properties map[string]any }
	}
}

func readDocument(t *testing.T) document {
	t.Helper()
	var d document
	if err := json.Unmarshal(openapi, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDocumentNamesEveryRoute(t *testing.T) {
	var described, served []string
	for path, operations := range readDocument(t).Paths {
		for method := range operations {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	for _, r := range (&server{}).routes() {
		served = append(served, r.pattern)
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("described are\n%s\nserved are\n%s", strings.Join(described, "\n"), strings.Join(served, "\n"))
	}
}

// TestDocumentNamesEveryField holds the document's schemas against the SDK's types.
func TestDocumentNamesEveryField(t *testing.T) {
	types := map[string]reflect.Type{}
	for _, v := range []any{
		client.Failure{}, client.Status{}, client.Wallet{}, client.Transfer{}, client.Payout{}, client.PieceRequest{}, client.JobRequest{},
		client.Submitted{}, client.JobSummary{}, client.Job{}, client.PieceReport{}, client.ExecutionReport{},
		client.ChallengeReport{}, client.AppealReport{}, client.JurorReport{}, client.Payment{}, client.Penalty{}, client.Cost{}, client.TransactionCost{}, client.Node{}, client.URLRequest{},
		client.FetchRequest{}, client.Imported{}, client.Audit{}, client.Decision{}, client.Draining{}, client.OfferReport{}, protocol.Block{}, protocol.Input{}, protocol.Limits{},
	} {
		types[reflect.TypeOf(v).Name()] = reflect.TypeOf(v)
	}
	for name, schema := range readDocument(t).Components.Schemas {
		if len(schema.Properties) == 0 {
			continue // a plain value
		}
		typ, ok := types[name]
		if !ok {
			t.Errorf("schema %s is of no type of the SDK", name)
			continue
		}
		delete(types, name)
		described, sent := slices.Sorted(maps.Keys(schema.Properties)), fields(typ)
		slices.Sort(sent)
		if !slices.Equal(described, sent) {
			t.Errorf("%s: described are %v, sent are %v", name, described, sent)
		}
	}
	for name := range types {
		t.Errorf("no schema describes %s", name)
	}
}

// fields are the names of a struct's fields in JSON.
func fields(typ reflect.Type) []string {
	var names []string
	for f := range typ.Fields() {
		if f.Anonymous {
			names = append(names, fields(f.Type)...)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

func TestDocumentRefersToWhatItHas(t *testing.T) {
	schemas := readDocument(t).Components.Schemas
	used := map[string]bool{}
	for _, ref := range regexp.MustCompile(`"#/components/schemas/(\w+)"`).FindAllSubmatch(openapi, -1) {
		used[string(ref[1])] = true
	}
	if got, want := slices.Sorted(maps.Keys(used)), slices.Sorted(maps.Keys(schemas)); !slices.Equal(got, want) {
		t.Errorf("referred to are %v, described are %v", got, want)
	}
}

func TestDocumentIsServed(t *testing.T) {
	mux := http.NewServeMux()
	for _, r := range (&server{log: slog.New(slog.DiscardHandler)}).routes() {
		mux.HandleFunc(r.pattern, r.handle)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/openapi.json", nil))
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" || w.Body.String() != string(openapi) {
		t.Errorf("answer is %d %v", w.Code, w.Header())
	}
}
