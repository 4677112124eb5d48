// SPDX-License-Identifier: MIT

// A static Go program that serves the file `file` over HTTP, or fetches it, several times at once,
// over connections that are kept and used again.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func serve() {
	listener, err := net.Listen("tcp", ":80")
	check(err)
	fmt.Println("ready")
	check(http.Serve(listener, http.FileServer(http.Dir("."))))
}

func get(client *http.Client, want []byte) error {
	answer, err := client.Get("http://10.0.0.1/file")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && !bytes.Equal(body, want) {
		err = fmt.Errorf("%d bytes that are not the file", len(body))
	}
	return err
}

func fetch() {
	want, err := os.ReadFile("file")
	check(err)
	client := &http.Client{Timeout: 30 * time.Second}
	var all sync.WaitGroup
	for i := 0; i < 4; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for k := 0; k < 3; k++ {
				check(get(client, want))
			}
		}()
	}
	all.Wait()
	_, err = net.Dial("tcp", "10.0.0.1:81")
	if !errors.Is(err, syscall.ECONNREFUSED) {
		check(fmt.Errorf("nobody listens, yet: %v", err))
	}
	end, err := net.Dial("tcp", "10.0.0.1:80")
	check(err)
	check(end.SetReadDeadline(time.Now().Add(100 * time.Millisecond)))
	_, err = end.Read(make([]byte, 1))
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		check(fmt.Errorf("nothing comes, yet: %v", err))
	}
}

func main() {
	switch os.Args[1] {
	case "serve":
		serve()
	case "fetch":
		fetch()
	}
}
