// A registry with the referrers API, in memory and open to everybody: the one that Debian packages
// has no such API. It says where it listens and ends when it is told to.
package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	address := flag.String("address", "127.0.0.1:0", "where to listen")
	flag.Parse()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on %s", listener.Addr())
	server := &http.Server{
		ReadHeaderTimeout: 5 * time.Second,
		Handler: registry.New(
			registry.WithReferrersSupport(true),
			registry.Logger(log.New(discard{}, "", 0)),
		),
	}
	log.Fatal(server.Serve(listener))
}

type discard struct{}

func (discard) Write(text []byte) (int, error) { return len(text), nil }
