// PM2 as the supervisor of the workers: the hub once, and N workers.
//
//	pm2 start ecosystem.workers.config.js
//	pm2 scale worker 6		pm2 restart 3	(a PM2 id)
//	pm2 monit			CPU and memory of every worker
//
// The order does not matter: a worker waits for its hub.  Which slot a worker
// has is the hub's word, not NODE_APP_INSTANCE.

const script = process.env.BUSCTL || '/usr/local/bin/clusterbus';
const common = {
	script,
	interpreter: 'none',
	exec_mode: 'fork',
	wait_ready: true,
	listen_timeout: 15000,
	kill_timeout: 20000,
	stop_exit_codes: [2, 78],
	pmx: false,
	vizion: false,
};

module.exports = {
	apps: [{
		...common,
		name: 'hub',
		// -n: how many workers may attach; all settings are here.
		args: ['hub', '-n', '16', '--listen', '127.0.0.1:8080'],
	}, {
		...common,
		name: 'worker',
		args: ['worker', '--attach'],
		instances: 4,
	}],
};
