#!/usr/bin/env bash
# Starts a RabbitMQ of its own on loopback from Debian's package, for tests:
#   apt-get install -y --no-install-recommends rabbitmq-server
#   rabbitmq.sh DIR AMQP_PORT TLS_PORT MANAGEMENT_PORT DIST_PORT EPMD_PORT AUTH_URL USER PASSWORD     (stops when its standard input ends)
# DIR holds cert.pem and key.pem. USER is an administrator; everybody else is asked for at AUTH_URL. Contents live in DIR.
set -eu
dir=$1 port=$2 tls=$3 management=$4 dist=$5 epmd=$6 auth=$7 user=$8 password=$9
mkdir -p "$dir"/{home,mnesia,log}
cat > "$dir/rabbitmq.conf" <<EOF
listeners.tcp.1 = 127.0.0.1:$port
listeners.ssl.1 = 127.0.0.1:$tls
ssl_options.certfile = $dir/cert.pem
ssl_options.keyfile = $dir/key.pem
management.tcp.ip = 127.0.0.1
management.tcp.port = $management
default_user = $user
default_pass = $password
default_user_tags.administrator = true
loopback_users = none
auth_backends.1 = internal
auth_backends.2.authn = http
auth_backends.2.authz = cache
auth_cache.cached_backend = http
auth_cache.cache_ttl = 30000
auth_http.http_method = post
auth_http.user_path = $auth/user
auth_http.vhost_path = $auth/vhost
auth_http.resource_path = $auth/resource
auth_http.topic_path = $auth/topic
heartbeat = 10
tcp_listen_options.send_timeout = 300000
max_message_size = 8388608
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 100MB
EOF
echo '[rabbitmq_management,rabbitmq_auth_backend_http,rabbitmq_auth_backend_cache].' > "$dir/enabled_plugins"
export HOME="$dir/home" RABBITMQ_NODENAME="eventsync-$port@localhost" RABBITMQ_DIST_PORT="$dist" ERL_EPMD_PORT="$epmd" ERL_EPMD_ADDRESS=127.0.0.1 \
  RABBITMQ_MNESIA_BASE="$dir/mnesia" RABBITMQ_LOG_BASE="$dir/log" RABBITMQ_LOGS="$dir/log/rabbit.log" RABBITMQ_CONFIG_FILE="$dir/rabbitmq" \
  RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_ENABLED_PLUGINS_FILE="$dir/enabled_plugins" RABBITMQ_PID_FILE="$dir/pid" \
  RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none'
setsid /usr/lib/rabbitmq/bin/rabbitmq-server < /dev/null &
trap 'kill -9 -- -$! 2> /dev/null || true; pkill -9 -f "epmd -daemon.*$epmd" 2> /dev/null || true' EXIT
# Whoever started it has ended, however it ended, when nothing more can be read from it.
cat > /dev/null
