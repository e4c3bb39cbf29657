package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

// loopback returns the address to listen at, if only this machine can reach it: the page asks nobody who they are.
func loopback(text string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", errors.New("no address, such as 127.0.0.1:8080")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", errors.New("no port, such as the 8080 of 127.0.0.1:8080")
	}
	if host == "localhost" {
		host = "127.0.0.1" // whatever the machine makes of that name
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return "", errors.New("others could reach it, and it asks nobody who they are: use 127.0.0.1, [::1] or localhost")
	}
	return net.JoinHostPort(host, port), nil
}

// How long a connection may take for what, and the end.
const (
	headerTime   = 5 * time.Second
	idleTime     = 2 * time.Minute
	shutdownTime = 5 * time.Second
)

// serve makes the first figures, and then serves the page until the context ends, which is no error.
func serve(ctx context.Context, address string, notes io.Writer, figures *board) error {
	if err := figures.renew(ctx); err != nil {
		return err
	}
	listener, err := listen(ctx, address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           newPage(figures),
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       headerTime,
		IdleTimeout:       idleTime,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	fmt.Fprintf(notes, "The dashboard is at http://%s/ until you press Ctrl-C.\n", listener.Addr())
	fmt.Fprintln(notes, "It asks nobody who they are. Authentication is the application's, so only this machine can reach it.")

	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	go figures.keepFresh(ctx)
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
		return shutDown(ctx, server)
	}
}

// listen says what to do about the mistake that is made most.
func listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the address %s is taken by another program; choose another one, such as localhost:0 (any free port)",
			address)
	}
	return listener, err
}

// shutDown lets the pages that are on their way arrive.
func shutDown(ctx context.Context, server *http.Server) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	if err := server.Shutdown(limited); err != nil {
		return server.Close()
	}
	return nil
}
