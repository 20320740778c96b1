CREATE TABLE `dz_users` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`name` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `dz_users_name_unique` ON `dz_users` (`name`);
