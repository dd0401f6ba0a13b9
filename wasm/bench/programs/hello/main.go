// Command hello does next to nothing, so that what remains is the start.
package main

import "fmt"

func main() { fmt.Println("hello") }
