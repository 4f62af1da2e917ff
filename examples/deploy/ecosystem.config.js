// The whole bus as one application of PM2:
//
//	pm2 start ecosystem.config.js
//	pm2 trigger bus scale 8		pm2 trigger bus reload
//	pm2 trigger bus restart 3	pm2 trigger bus status
//	pm2 sendSignal SIGHUP bus	(the same as the trigger reload)
//
// `pm2 reload bus` is not what you want: PM2 stops a program that is not
// Node.js and starts it anew.  The reload above keeps the connections.

module.exports = {
	apps: [{
		name: 'bus',
		script: process.env.BUSCTL || '/usr/local/bin/clusterbus',
		args: ['start', '-n', '4', '--listen', '127.0.0.1:8080'],
		interpreter: 'none',
		exec_mode: 'fork',	// its workers are its own business

		// "ready" comes when all workers listen.
		wait_ready: true,
		listen_timeout: 15000,

		// The clients are asked to go over half of this time; by default
		// PM2 would kill after 1.6 s.
		kill_timeout: 20000,

		// The words or the configuration are wrong: not tried again.
		// (With a restart delay PM2 7 would show such an application
		// as "waiting restart" for ever.)
		stop_exit_codes: [2, 78],

		pmx: false,
		vizion: false,
	}],
};
