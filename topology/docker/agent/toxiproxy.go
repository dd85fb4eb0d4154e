package agent

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// runToxiproxy serves Toxiproxy's API and the proxies of its configuration
// until ctx ends. Its flags are those of toxiproxy-server. A configuration
// that cannot be applied ends it: Toxiproxy's own server goes on without.
func runToxiproxy(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet(Toxiproxy, flag.ContinueOnError)
	host := flags.String("host", "0.0.0.0", "address of the API")
	port := flags.String("port", "8474", "port of the API")
	config := flags.String("config", "", "JSON file of the proxies to create at the start")
	if err := flags.Parse(args); err != nil {
		return err
	}
	logger := zerolog.New(os.Stdout).With().Timestamp().Logger()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), logger)
	if err := populate(server, *config); err != nil {
		return err
	}
	return serve(ctx, net.JoinHostPort(*host, *port), server.Routes())
}

func populate(server *toxiproxy.ApiServer, config string) error {
	if config == "" {
		return nil
	}
	file, err := os.Open(config)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	defer file.Close()
	if _, err := server.Collection.PopulateJson(server, file); err != nil {
		return fmt.Errorf("configuration %s: %w", config, err)
	}
	return nil
}

// serve answers on address until ctx ends, and then lets running requests
// finish for a second.
func serve(ctx context.Context, address string, handler http.Handler) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		return server.Shutdown(ending)
	}
}
