// The calls of cases.mjs by grpc-go: reads {"descriptors": file, "cases": […]} from standard input, prints one JSON
// line per call: name, code, message, details (base64), answer (canonical protobuf JSON, proto field names).
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

type call struct {
	Name, Target, Method string
	Metadata             map[string]string
	Request              json.RawMessage
	DeadlineMs           int  `json:"deadline_ms"`
	CancelAfterFirst     bool `json:"cancel_after_first"`
}

type result struct {
	Name    string          `json:"name"`
	Code    string          `json:"code"`
	Message string          `json:"message"`
	Details *string         `json:"details"`
	Answer  json.RawMessage `json:"answer"`
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

// "NOT_FOUND", as the others write it: its own name is "NotFound".
func nameOf(code codes.Code) string {
	if code == codes.OK || code == codes.Canceled {
		return map[codes.Code]string{codes.OK: "OK", codes.Canceled: "CANCELLED"}[code]
	}
	var out strings.Builder
	for i, letter := range code.String() {
		if i > 0 && letter >= 'A' && letter <= 'Z' {
			out.WriteByte('_')
		}
		out.WriteRune(letter)
	}
	return strings.ToUpper(out.String())
}

func run(files *protoregistry.Files, c call) result {
	service, name, _ := strings.Cut(c.Method, "/")
	found := must(files.FindDescriptorByName(protoreflect.FullName(service)))
	method := found.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(name))
	request, answer := dynamicpb.NewMessage(method.Input()), dynamicpb.NewMessage(method.Output())
	if err := protojson.Unmarshal(c.Request, request); err != nil {
		must(0, err)
	}
	conn := must(grpc.Dial(c.Target, grpc.WithTransportCredentials(insecure.NewCredentials())))
	defer conn.Close()
	wait := 20 * time.Second
	if c.DeadlineMs > 0 {
		wait = time.Duration(c.DeadlineMs) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(context.Background(), metadata.New(c.Metadata)), wait)
	defer cancel()
	var trailer metadata.MD
	got := 0
	err := func() error {
		if !method.IsStreamingServer() {
			got = 1
			return conn.Invoke(ctx, "/"+c.Method, request, answer, grpc.Trailer(&trailer))
		}
		stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: method.IsStreamingClient()}, "/"+c.Method)
		if err != nil {
			return err
		}
		if err = stream.SendMsg(request); err != nil {
			return err
		}
		if !method.IsStreamingClient() {
			if err = stream.CloseSend(); err != nil {
				return err
			}
		}
		for {
			if method.IsStreamingClient() && got > 0 {
				return stream.CloseSend()
			}
			next := dynamicpb.NewMessage(method.Output())
			if err = stream.RecvMsg(next); err != nil {
				trailer = stream.Trailer()
				return err
			}
			answer, got = next, got+1
			if c.CancelAfterFirst {
				cancel()
			}
		}
	}()
	out := result{Name: c.Name, Code: nameOf(status.Code(err))}
	if err != nil {
		out.Message = status.Convert(err).Message()
		if details := trailer.Get("grpc-status-details-bin"); len(details) > 0 {
			text := base64.StdEncoding.EncodeToString([]byte(details[0]))
			out.Details = &text
		}
	}
	if err == nil || (method.IsStreamingServer() && got > 0) {
		out.Answer = must(protojson.MarshalOptions{UseProtoNames: true}.Marshal(answer))
	}
	return out
}

func main() {
	var given struct {
		Descriptors string
		Cases       []call
	}
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		must(0, err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(must(os.ReadFile(given.Descriptors)), &set); err != nil {
		must(0, err)
	}
	files := must(protodesc.NewFiles(&set))
	for _, c := range given.Cases {
		fmt.Println(string(must(json.Marshal(run(files, c)))))
	}
}
