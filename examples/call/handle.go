// Asks payhook's Event Service about one webhook, in JSON: the standard library is enough. (By gRPC: protoc-gen-go
// and protoc-gen-go-grpc on proto/events.proto.)
// usage: STRIPE_WHSEC=... go run handle.go 127.0.0.1:8080 SIGNATURE <body.json
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

func main() {
	body, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	call, _ := json.Marshal(map[string]any{
		"request_details": map[string]any{
			"method": "HTTP_METHOD_POST", "uri": "/webhooks/stripe", "body": body, // []byte is base64 in JSON
			"headers": map[string]string{"Stripe-Signature": os.Args[2]},
		},
		"webhook_secrets": map[string]string{"secret": os.Getenv("STRIPE_WHSEC")},
	})
	request, err := http.NewRequest("POST", "http://"+os.Args[1]+"/v1/handle", bytes.NewReader(call))
	if err != nil {
		panic(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("x-connector", "stripe")
	response, err := (&http.Client{Timeout: 5 * time.Second}).Do(request)
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	var answer struct {
		Verdict, EventType, DedupeKey string
		Error                         struct{ Code, Message string }
	}
	var fields map[string]json.RawMessage
	if err := json.NewDecoder(response.Body).Decode(&fields); err != nil {
		panic(err)
	}
	for name, into := range map[string]any{"verdict": &answer.Verdict, "event_type": &answer.EventType,
		"dedupe_key": &answer.DedupeKey, "error": &answer.Error} {
		if text, there := fields[name]; there {
			_ = json.Unmarshal(text, into)
		}
	}
	if answer.EventType == "" { // proto3 leaves the first word of an enum out
		answer.EventType = "WEBHOOK_EVENT_TYPE_UNSPECIFIED"
	}
	fmt.Println(answer.Verdict, answer.EventType, answer.DedupeKey)
	if answer.Verdict != "VERIFIED" {
		os.Exit(1)
	}
}
