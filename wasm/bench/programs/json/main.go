// Command json turns records into JSON and back.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

type record struct {
	ID    int               `json:"id"`
	Name  string            `json:"name"`
	Score float64           `json:"score"`
	Tags  []string          `json:"tags"`
	Extra map[string]string `json:"extra,omitempty"`
}

func main() {
	var records []record
	for i := range 2000 {
		records = append(records, record{
			ID: i, Name: fmt.Sprintf("record %d", i), Score: float64(i) / 7,
			Tags: []string{"a", "b", fmt.Sprint(i % 13)}, Extra: map[string]string{"k": fmt.Sprint(i)},
		})
	}
	total := 0
	for range 8 {
		text, err := json.Marshal(records)
		if err == nil {
			records, err = nil, json.Unmarshal(text, &records)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		total += len(text)
	}
	fmt.Println(total, len(records))
}
