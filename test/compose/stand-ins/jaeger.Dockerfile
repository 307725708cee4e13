# In place of jaegertracing/jaeger: the program, without its page; what the page asks for is answered.
FROM wardline-stand-in/debian
COPY jaeger-linux /cmd/jaeger/jaeger-linux
ENTRYPOINT ["/cmd/jaeger/jaeger-linux"]
