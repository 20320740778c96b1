ALTER TABLE `dz_users` ADD `at` integer;
