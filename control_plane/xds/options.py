"""What an operator may choose about the gateway."""

from dataclasses import dataclass

from control_plane.model.limits import LARGEST_BODY

#: The static clusters of the bootstrap: the one that carries ADS, and the one of the workers.
CONTROL_PLANE_CLUSTER = "trio2o_control_plane"
PROCESSOR_CLUSTER = "trio2o_processor"
#: The workers again, at the ports for exchanges of one message.
WORDS_CLUSTER = "trio2o_words"


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """Everything the resources depend on besides the pods. Times in seconds, sizes in bytes.

    `listen` is `host:port`; `egress` the same or `unix:/path`. `access_log` is a path,
    `/dev/stdout` among them, or empty for none.
    """

    listen: str = "0.0.0.0:8080"
    #: Whether clients speak TLS; the certificate is no option, since it changes.
    tls: bool = False
    egress: str = "unix:/run/trio2o/egress.sock"
    processor_cluster: str = PROCESSOR_CLUSTER
    words_cluster: str = WORDS_CLUSTER
    #: From the whole request received to the whole answer sent, for all but image data.
    request_timeout: float = 60.0
    #: One message to the processor and its reply; a list asks every pod meanwhile.
    processor_timeout: float = 60.0
    #: Without a byte in either direction; the only limit on image data.
    stream_idle_timeout: float = 300.0
    #: A client's connection without a request.
    client_idle_timeout: float = 300.0
    #: From the first byte of a request to the end of its headers.
    request_headers_timeout: float = 10.0
    connect_timeout: float = 3.0
    #: A pod's connection without a request: less than Apache's KeepAliveTimeout of 5 s, so that
    #: Envoy and never the pod closes it, and no request is lost on a closing connection.
    upstream_idle_timeout: float = 4.0
    #: Between looks at a service: one that is well and asked, one that is not well or has just
    #: come, and one that is well and that nobody has asked since it came.
    health_check_interval: float = 5.0
    unhealthy_check_interval: float = 2.0
    unasked_check_interval: float = 20.0
    health_check_timeout: float = 5.0
    #: What Envoy holds of one request or answer before it slows the sender down; also the largest
    #: body the processor may ask to see.
    buffer_limit: int = LARGEST_BODY
    #: Fernet tokens are short, but PKI tokens and service catalogs in headers were not.
    max_request_headers_kb: int = 96
    #: To each service of each pod.
    max_connections: int = 1024
    max_requests: int = 4096
    access_log: str = "/dev/stdout"
    #: Proxies before Envoy whose X-Forwarded-For and X-Forwarded-Proto are believed.
    trusted_hops: int = 0
    #: Certificate authorities that pods' https endpoints are checked against, on Envoy's machine.
    ca_file: str = "/etc/ssl/certs/ca-certificates.crt"
    #: Whether a Lua filter stands before the processor; its text comes by ECDS, so that it changes
    #: without a drain.
    owner_cache: bool = False
